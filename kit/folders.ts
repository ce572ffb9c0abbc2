// A folder with all above it. Node's own way (`recursive`) tries for ever where a folder is there and takes none in, as
// /proc does: here that is an error with a sentence.

import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const MODE = 0o777;

/** One that is there already is no error. Throws what the disk throws. */
export async function makeFolders(path: string, mode = MODE): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (failure) {
    if (!isGone(failure)) throw failure;
    await makeFolders(dirname(path), mode);
    await makeOne(path, mode).catch((again: unknown) => refuse(path, again));
  }
}

export function makeFoldersSync(path: string, mode = MODE): void {
  try {
    makeOneSync(path, mode);
  } catch (failure) {
    if (!isGone(failure)) throw failure;
    makeFoldersSync(dirname(path), mode);
    try {
      makeOneSync(path, mode);
    } catch (again) {
      refuse(path, again);
    }
  }
}

/** What a disk says of a folder that is there differs: that it is, that it is read-only, that it is the root. */
async function makeOne(path: string, mode: number): Promise<void> {
  await mkdir(path, { mode }).catch(async (failure: unknown) => {
    const facts = await stat(path).catch(() => null);
    if (!facts?.isDirectory()) throw failure;
  });
}

function makeOneSync(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (failure) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw failure;
  }
}

const isGone = (failure: unknown): boolean => (failure as NodeJS.ErrnoException).code === 'ENOENT';

function refuse(path: string, cause: unknown): never {
  if (!isGone(cause)) throw cause;
  const sentence = `${path} can't be made: ${dirname(path)} takes no folders; name another one.`;
  throw Object.assign(new Error(sentence, { cause }), { code: 'ENOENT' });
}
