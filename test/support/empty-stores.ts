// The embedded stores with their tables and nothing in them, made once in a run by a program of its own: each collector
// of a test starts from a copy, which spares it seven seconds of a core. The first start has tests that make their own.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('make-stores.ts', import.meta.url));
const MADE_IN = 'OUTRIDER_TESTS_STORES';

/** In `collector/` of the data directory that is named. */
export function makeEmptyStores(dataDirectory: string): void {
  execFileSync(process.execPath, [PROGRAM, dataDirectory], { stdio: 'inherit' });
  process.env[MADE_IN] = dataDirectory;
}

/** Copies them to a data directory that is not there yet; does nothing where one is, or where none were made. */
export function copyEmptyStores(dataDirectory: string): void {
  const made = process.env[MADE_IN];
  if (made === undefined || existsSync(dataDirectory)) return;
  cpSync(made, dataDirectory, { recursive: true, verbatimSymlinks: true });
}
