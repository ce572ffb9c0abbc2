// A directory that takes files and never gives one back changed: write-once storage, another machine's export, a medium that
// is carried away. Nothing in it is ever written over, so a name that is taken by another checkpoint is news.
//
//   <directory>/<log>/checkpoint-<leaves>     a signed note

import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { anchoredPath } from '../../contract/audit/anchored.ts';
import type { SignedCheckpoint } from '../audit/growth.ts';

/** Rejects with a sentence where it is not there for good. */
export async function anchorInDirectory(directory: string, checkpoint: SignedCheckpoint): Promise<void> {
  const { folder, file } = anchoredPath(checkpoint);
  // A directory that is not mounted is not made: that would be a place the owner can write to.
  const facts = await stat(directory).catch(() => null);
  if (!facts?.isDirectory()) throw new Error(`There is no directory ${directory}: mount or make it.`);
  await mkdir(join(directory, folder)).catch(unlessTaken);
  const path = join(directory, folder, file);
  if (await create(path, checkpoint.note)) await syncFolder(join(directory, folder));
  else if ((await readFile(path, 'utf8')) !== checkpoint.note)
    throw new Error(
      `${path} is there already and is another: somebody else writes there, or the log was forked.`,
    );
}

/** False where there is one of that name. What could not be written whole is taken back where that can be. */
async function create(path: string, text: string): Promise<boolean> {
  const file = await open(path, 'wx', 0o444).catch(unlessTaken);
  if (file === null) return false;
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (failure) {
    await rm(path, { force: true }).catch(() => undefined); // write-once storage keeps it: an unfinished note is passed over
    throw failure;
  } finally {
    await file.close();
  }
  return true;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unlessTaken(failure: NodeJS.ErrnoException): null {
  if (failure.code === 'EEXIST') return null;
  throw failure;
}
