// Secrets as they come from where they are said to be.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSecrets, SECRET_FRESH_MS } from '../../kit/secrets.ts';
import { manualClock } from '../support/manual-clock.ts';
import { temporaryDirectory } from '../support/processes.ts';

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

  it.each(['two\nlines', 'two\r\nx-evil: 1', 'a\u0007bell', 'a\0b', 'naïve'])(
    'CRED-14, SMUG-35: is nothing that a header cannot hold: %j',
    async (value) => {
      await expect(read(value)).rejects.toThrow("what env:SECRET holds cannot be a header's value");
    },
  );

  it('CRED-14: is no template: what looks like one stands for itself', async () => {
    expect(await read('{{SECRET}} $SECRET %s $1')).toBe('{{SECRET}} $SECRET %s $1');
  });

  it('CRED-08: that is changed where it lies holds within half a minute, and one that is gone is no more', async () => {
    const file = join(temporaryDirectory('secret'), 'key');
    const clock = manualClock();
    const secrets = createSecrets(clock, {});
    const again = () => secrets.read({ from: 'file', locator: file });
    writeFileSync(file, 'first\n');
    expect(await again()).toBe('first');
    writeFileSync(file, 'second\n');
    expect(await again()).toBe('first');
    clock.advance(SECRET_FRESH_MS);
    expect(await again()).toBe('second');
    rmSync(file);
    clock.advance(SECRET_FRESH_MS);
    await expect(Promise.resolve(again())).rejects.toThrow(/cannot be read \(ENOENT\)/);
  });
});
