// A Postgres as initdb leaves it, made once in a run by a program of its own: each collector of a test starts from a
// copy, which spares it three seconds of a core. Only those of the packaged program and of the first start make theirs.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('make-postgres.ts', import.meta.url));
const MADE_IN = 'OUTRIDER_TESTS_POSTGRES';

export function makePostgres(directory: string): void {
  execFileSync(process.execPath, [PROGRAM, directory], { stdio: 'inherit' });
  process.env[MADE_IN] = directory;
}

/** Copies it to a folder that is not there yet; does nothing where one is, or where none was made. */
export function copyPostgres(to: string): void {
  const made = process.env[MADE_IN];
  if (made !== undefined && !existsSync(to)) cpSync(made, to, { recursive: true });
}
