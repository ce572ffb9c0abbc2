// The leaves of an exported log, and of several that followed each other, in their order.

import { sentenceOf } from '../../kit/log.ts';
import { TILE_WIDTH } from '../../kit/tlog/tiles.ts';
import type { PlacedLeaf } from './chains.ts';
import type { ExportedFiles } from './export.ts';
import { readBundle } from './exported-tree.ts';
import type { Report } from './finding.ts';
import { decodeLeaf, type Leaf } from './leaf.ts';

/** One whose tree is as it was signed. */
export interface VerifiedLog {
  readonly files: ExportedFiles;
  readonly size: number;
  /** Entries below are no longer kept. */
  readonly minimumIndex: number;
}

export async function* leavesOf(logs: readonly VerifiedLog[]): AsyncGenerator<PlacedLeaf> {
  for (const log of logs) yield* leavesIn(log);
}

export async function* leavesIn(
  { files, minimumIndex, size }: VerifiedLog,
  report: Report = () => undefined,
): AsyncGenerator<PlacedLeaf> {
  for (let first = minimumIndex; first < size; first += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - first);
    const entries = (await readBundle(files, { index: first / TILE_WIDTH, width })) ?? [];
    for (const [at, entry] of entries.entries()) {
      const leaf = decoded(entry, first + at, report);
      if (leaf) yield { ...leaf, logIndex: first + at };
    }
  }
}

function decoded(entry: Buffer, logIndex: number, report: Report): Leaf | null {
  try {
    return decodeLeaf(entry);
  } catch (failure) {
    report({ kind: 'altered', in: 'leaf', log_index: logIndex, what: sentenceOf(failure) });
    return null;
  }
}
