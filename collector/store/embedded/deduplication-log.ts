// What a table remembers of the blocks it has, after a kill. The engine writes that a block is there before the part that
// holds it takes its name (MergeTreeSink::commitPart), so a process killed in between leaves a table that refuses a block
// it does not have: the replay would skip it, and acknowledged rows were lost. Before the tables are opened, such records
// are cut off the end of each table's log.
//
//   clickhouse/store/4a5/4a55…/deduplication_logs/deduplication_log_3.txt     1 <tab> 202611_7_7_0 <tab> block id
//                             /202611_5_9_1                                   a part that holds the blocks 5 to 9

import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Far more than one insert writes. */
const TAIL_BYTES = 64 * 1024;
const ADDED = '1';

/** Answers how many records it cut. The store's process must not run. */
export function forgetUncommitted(dataDirectory: string): number {
  const root = join(dataDirectory, 'clickhouse', 'store');
  let cut = 0;
  for (const prefix of foldersIn(root)) {
    for (const table of foldersIn(join(root, prefix))) cut += cutTail(join(root, prefix, table));
  }
  return cut;
}

function cutTail(table: string): number {
  const folder = join(table, 'deduplication_logs');
  const parts = foldersIn(table).map(partOf);
  for (const file of logsIn(folder)) {
    const log = openSync(join(folder, file), 'r+');
    try {
      const { size } = fstatSync(log);
      if (size === 0) continue; // the log before it holds the last record
      const from = Math.max(0, size - TAIL_BYTES);
      const tail = Buffer.alloc(size - from);
      readSync(log, tail, 0, tail.length, from);
      const { keep, records } = committedIn(tail.toString('latin1'), parts);
      if (keep < tail.length) ftruncateSync(log, from + keep);
      return records;
    } finally {
      closeSync(log);
    }
  }
  return 0;
}

/** How many bytes of the tail stand, and how many records behind them do not: torn ones, and blocks that no part holds. */
function committedIn(tail: string, parts: readonly (Part | null)[]): { keep: number; records: number } {
  let records = 0;
  let keep = tail.length;
  while (keep > 0) {
    const start = tail.lastIndexOf('\n', keep - 2) + 1;
    const line = tail.slice(start, keep);
    const [kind, name] = line.split('\t');
    const isWhole = line.endsWith('\n');
    if (isWhole && (kind !== ADDED || isHeld(partOf(name ?? ''), parts))) break;
    records += 1;
    keep = start;
  }
  return { keep, records };
}

interface Part {
  readonly partition: string;
  readonly first: number;
  readonly last: number;
}

/** Null for a folder that is no part: detached, temporary, on its way out. */
function partOf(name: string): Part | null {
  const match = /^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/.exec(name);
  return match && { partition: match[1]!, first: Number(match[2]), last: Number(match[3]) };
}

const isHeld = (wanted: Part | null, parts: readonly (Part | null)[]): boolean =>
  wanted === null ||
  parts.some(
    (part) =>
      part !== null &&
      part.partition === wanted.partition &&
      part.first <= wanted.first &&
      part.last >= wanted.last,
  );

/** The newest first. */
function logsIn(folder: string): string[] {
  const numberOf = (name: string): number => Number(/^deduplication_log_(\d+)\.txt$/.exec(name)?.[1] ?? -1);
  return namesIn(folder)
    .filter(({ name }) => numberOf(name) >= 0)
    .map(({ name }) => name)
    .sort((a, b) => numberOf(b) - numberOf(a));
}

const foldersIn = (folder: string): string[] =>
  namesIn(folder)
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** Empty where the folder is not there: a store that was never opened, a table without a log. */
function namesIn(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw failure;
  }
}
