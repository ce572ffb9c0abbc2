// Where a backup may go, asked before one is made: a folder that is not there, can be made, and does not go when the
// collector's data directory does.

import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { isFree, makeFolder, removeFolder } from '../../collector/edges/backup-files.ts';

/** Throws an Error with a sentence, and leaves nothing at `to`. */
export async function refuseUnfit(to: string, dataDirectory: string): Promise<void> {
  if (!(await isFree(to))) throw new Error(`${to} is there already: name a folder that is not.`);
  await refuseWithin(to, dataDirectory);
  await removeFolder(to);
  await makeFolder(to);
  await removeFolder(to);
}

export async function refuseWithin(to: string, dataDirectory: string): Promise<void> {
  const [inner, outer] = await Promise.all([realPlace(to), realPlace(dataDirectory)]);
  if (`${inner}${sep}`.startsWith(`${outer}${sep}`))
    throw new Error(
      `${to} is in the collector's data directory, and would be lost with it: name a folder elsewhere.`,
    );
}

/** Links followed, as far as there is anything. */
async function realPlace(path: string): Promise<string> {
  const whole = resolve(path);
  const above = dirname(whole);
  return realpath(whole).catch(async () =>
    above === whole ? whole : join(await realPlace(above), basename(whole)),
  );
}
