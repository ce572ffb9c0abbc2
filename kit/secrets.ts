// Secrets, read at run time from where they are said to be (environment, file, command). A value is kept for half a
// minute, so rotation needs no restart; it is read only once it is needed.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Clock } from './clock.ts';

/** `locator` is a variable's name, a path or a command line. */
export interface SecretPlace {
  readonly from: 'env' | 'file' | 'exec' | 'vault';
  readonly locator: string;
}

export interface Secrets {
  /** The secret, without surrounding white space. Rejects with a sentence that names the reference, never a value. */
  read(reference: SecretPlace): string | Promise<string>;
}

export const SECRET_FRESH_MS = 30_000;
const EXEC_TIMEOUT_MS = 10_000;
/** What may stand in a header's value (RFC 9110 § 5.5), white space at the ends aside. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** JSON, as tools print an access key, may stand on several lines: between its members they are white space. */
const onOneLine = (value: string): string =>
  value.startsWith('{') ? value.replace(/\s*\n\s*/g, ' ') : value;

const execute = promisify(execFile);

export function createSecrets(clock: Clock, env: Readonly<Record<string, string | undefined>>): Secrets {
  const known = new Map<string, { value: string; readAtMs: number }>();

  const fetchSecret = async (reference: SecretPlace): Promise<string> => {
    if (reference.from === 'env') {
      const value = env[reference.locator];
      if (value === undefined || value === '')
        throw new Error(`the variable ${reference.locator} is not set`);
      return value;
    }
    if (reference.from === 'file') {
      return readFile(reference.locator, 'utf8').catch((failure: NodeJS.ErrnoException) => {
        throw new Error(`the file ${reference.locator} cannot be read (${failure.code})`);
      });
    }
    if (reference.from === 'exec') {
      const [command = '', ...args] = reference.locator.split(/\s+/);
      const { stdout } = await execute(command, args, { timeout: EXEC_TIMEOUT_MS }).catch(() => {
        throw new Error(`the command ${command} failed`);
      });
      return stdout;
    }
    throw new Error(`secrets from ${reference.from}: are not available`);
  };

  const refresh = async (reference: SecretPlace, key: string): Promise<string> => {
    const value = onOneLine((await fetchSecret(reference)).trim());
    if (!HEADER_VALUE.test(value)) {
      throw new Error(`what ${reference.from}:${reference.locator} holds cannot be a header's value`);
    }
    known.set(key, { value, readAtMs: clock.monotonicMs() });
    return value;
  };

  return {
    read(reference) {
      const key = `${reference.from}:${reference.locator}`;
      const have = known.get(key);
      if (have && clock.monotonicMs() - have.readAtMs < SECRET_FRESH_MS) return have.value;
      return refresh(reference, key);
    },
  };
}
