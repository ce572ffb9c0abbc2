// Both embedded stores with their tables and nothing in them, made once in a run by a program of its own: each collector of a
// test starts from a copy, which spares it five seconds of a core. Only those of the packaged program, of the first start
// and of the migrations' own tests make theirs.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { placesIn } from '../../collector/config.ts';

const PROGRAM = fileURLToPath(new URL('make-stores.ts', import.meta.url));
const MADE_IN = 'OUTRIDER_TESTS_STORES';

export function makeEmptyStores(dataDirectory: string): void {
  execFileSync(process.execPath, [PROGRAM, dataDirectory], { stdio: 'inherit' });
  process.env[MADE_IN] = dataDirectory;
}

/** Copies them to a data directory where no collector was yet. */
export function copyEmptyStores(dataDirectory: string): void {
  const { own, control, store } = placesIn(dataDirectory);
  if (existsSync(store) || existsSync(control)) return;
  mkdirSync(own, { recursive: true, mode: 0o700 });
  copyStore(store);
  copyPostgres(control);
}

/** Each alone, for tests that open it without a collector. */
export const copyPostgres = (to: string): void => copy('control', to);
export const copyStore = (to: string): void => copy('store', to);

/** Does nothing where something is already, or where none were made. */
function copy(which: 'control' | 'store', to: string): void {
  const made = process.env[MADE_IN];
  if (made !== undefined && !existsSync(to))
    cpSync(placesIn(made)[which], to, { recursive: true, verbatimSymlinks: true });
}
