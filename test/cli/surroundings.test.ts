// What of the environment ends a start, and what is only said.

import { describe, expect, it } from 'vitest';
import { refuseWeakSurroundings } from '../../cli/surroundings.ts';

function said(env: NodeJS.ProcessEnv): string {
  let text = '';
  refuseWeakSurroundings({
    env,
    stdout: () => undefined,
    stderr: (line) => {
      text += line;
    },
  });
  return text;
}

describe('the environment of a process that carries calls (TLS-09)', () => {
  it.each([
    [{ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, /unset it, and name a private authority in NODE_EXTRA_CA_CERTS/],
    [{ NODE_OPTIONS: '--tls-keylog=/tmp/keys' }, /NODE_OPTIONS holds --tls-keylog/],
    [{ NODE_OPTIONS: '--max-old-space-size=99 --inspect-brk' }, /NODE_OPTIONS holds --inspect-brk/],
    [{ NODE_OPTIONS: '--tls-min-v1.0' }, /NODE_OPTIONS holds --tls-min-v1\.0/],
  ])('%j ends the start', (env, sentence) => {
    expect(() => said(env)).toThrow(sentence);
  });

  it('is otherwise taken, and what has no effect or much of it is said', () => {
    expect(said({})).toBe('');
    expect(said({ NODE_EXTRA_CA_CERTS: '/etc/ours.pem', NODE_TLS_REJECT_UNAUTHORIZED: '1' })).toBe('');
    expect(said({ SSLKEYLOGFILE: '/tmp/keys' })).toMatch(/environment\.ignored.*SSLKEYLOGFILE/);
    expect(said({ NODE_OPTIONS: '--max-old-space-size=99' })).toMatch(/environment\.in_force/);
  });
});
