// An exported directory on disk, read a piece at a time: it may be far larger than memory.

import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportedFiles } from '../../contract/audit/export.ts';

const CHUNK_BYTES = 1024 ** 2;
/** No row comes near: a file without a line's end is not read into memory whole. */
const LINE_CHARACTERS_MAX = 64 * 1024 ** 2;

export function exportedFiles(directory: string): ExportedFiles {
  return {
    read: (path) => readFile(join(directory, path)),
    list: async (folder) => (await readdir(join(directory, folder)).catch(noneWhereAbsent(folder))).sort(),
    lines: (path) => linesOf(join(directory, path)),
  };
}

async function* linesOf(path: string): AsyncGenerator<readonly string[]> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: CHUNK_BYTES })) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LINE_CHARACTERS_MAX)
        throw new Error(`${path} has a line that is longer than any row.`);
      if (lines.length > 0) yield lines;
    }
  } catch (failure) {
    noneWhereAbsent(path)(failure);
  }
  if (rest !== '') yield [rest];
}

const noneWhereAbsent =
  (path: string) =>
  (failure: unknown): never[] => {
    if (!(failure instanceof Error) || !('code' in failure)) throw failure;
    if (failure.code === 'ENOENT') return [];
    throw new Error(`${path} of the export can't be read (${failure.message}).`);
  };
