// The definitions that ship with Outrider, from the folder alerts/ beside the collector's.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = join(import.meta.dirname, '../../alerts');

/** In the order of their names. */
export function readAlertFiles(directory = DIRECTORY): { file: string; text: string }[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ file: `alerts/${name}`, text: readFileSync(join(directory, name), 'utf8') }));
}
