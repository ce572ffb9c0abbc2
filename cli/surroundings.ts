// What of the environment must not rule our own processes: variables that switch off what TLS proves, or let others read
// it, and the proxy of an agent whose variables this shell was given. An operator trusts an upstream's own authority by
// NODE_EXTRA_CA_CERTS, and that stays.

import http from 'node:http';
import { createLog } from '../kit/log.ts';
import type { Io } from './command.ts';

const WEAKENING_OPTION = /--(?:tls-keylog|tls-min-v1\.[01]|inspect(?:-\w+)?|insecure-http-parser)\b/;

/** For the commands that carry calls. Throws an Error with one sentence. */
export function refuseWeakSurroundings({ env, stderr }: Io): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0')
    throw new Error(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 would leave TLS unverified: unset it, and name a private authority in NODE_EXTRA_CA_CERTS.',
    );
  const option = WEAKENING_OPTION.exec(env.NODE_OPTIONS ?? '')?.[0];
  if (option)
    throw new Error(
      `NODE_OPTIONS holds ${option}, by which others could read or weaken what is carried: remove it.`,
    );
  const log = createLog('surroundings', (line) => stderr(line));
  if (env.SSLKEYLOGFILE)
    log.warn('environment.ignored', { variable: 'SSLKEYLOGFILE', why: 'no TLS secret is written' });
  if (env.NODE_OPTIONS)
    log.warn('environment.in_force', { variable: 'NODE_OPTIONS', value: env.NODE_OPTIONS });
}

/** In a shell that `outrider env` was evaluated in, we would ask our own collector through an agent's sidecar. */
export async function leaveAgentsProxy({ env }: Io): Promise<void> {
  if (env.NODE_USE_ENV_PROXY !== '1' || !env.OUTRIDER_PROXY || env.HTTP_PROXY !== env.OUTRIDER_PROXY) return;
  const { Agent, setGlobalDispatcher } = await import('undici');
  setGlobalDispatcher(new Agent());
  http.globalAgent = new http.Agent({ keepAlive: true });
}

/** Node opens an inspector at SIGUSR1, and an agent that runs as the same user may send one. */
export function keepInspectorClosed(): void {
  process.on('SIGUSR1', () => undefined);
}
