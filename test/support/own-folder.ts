// Every folder that a run of the tests makes for a while is made inside one, which goes when the run is over, however it
// ends short of being killed. What the hundreds of processes of a run would each make again is made there once: the
// modules Node compiled, and stores that hold nothing yet.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEmptyStores } from './empty-stores.ts';

export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-tests-'));
  process.env.TMPDIR = folder;
  process.env.OUTRIDER_TESTS_FOLDER = folder;
  process.env.NODE_COMPILE_CACHE = join(folder, 'compiled');
  makeEmptyStores(join(folder, 'stores'));
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
