// Secrets as they come from where they are said to be.

import { describe, expect, it } from 'vitest';
import { createSecrets } from '../../kit/secrets.ts';
import { manualClock } from '../support/manual-clock.ts';

const read = async (value: string): Promise<string> =>
  createSecrets(manualClock(), { SECRET: value }).read({ from: 'env', locator: 'SECRET' });

describe('a secret', () => {
  it('has no white space around it', async () => {
    expect(await read(' sk-1\n')).toBe('sk-1');
  });

  it('may be JSON on several lines, as tools print it', async () => {
    const key = { AccessKeyId: 'AKIA1', SecretAccessKey: 'a b' };
    const text = await read(`${JSON.stringify(key, null, 4)}\n`);
    expect(text).not.toContain('\n');
    expect(JSON.parse(text)).toEqual(key);
  });

  it.each(['two\nlines', 'a\u0007bell', 'naïve'])(
    'is nothing that a header cannot hold: %j',
    async (value) => {
      await expect(read(value)).rejects.toThrow("what env:SECRET holds cannot be a header's value");
    },
  );
});
