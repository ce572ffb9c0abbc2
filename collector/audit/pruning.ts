// What has had its time goes: whole bundles of entries and full tiles that end at or below a minimum index, as C2SP
// tlog-tiles prunes. The tree stays what it is, and whatever stands at or above the index is proven as before.
//
//   told in the log ─▶ control event ─▶ minimum index durable ─▶ files removed, some at a time
//
// Nothing goes before a checkpoint says that it does: a verifier takes an export without those entries by that leaf alone.

import { bundlePath, TILE_LEVEL_MAX, TILE_WIDTH, tilePath } from '../../kit/tlog/tiles.ts';
import type { AuditFiles } from './files.ts';
import type { AuditLog } from './log.ts';
import { bundleAt } from './proofs.ts';

/** A run takes its time beside everything else; the next one goes on. */
const BUNDLES_AT_ONCE = 20_000;
const PRUNED = 'pruned.json';

export interface Pruned {
  /** The lowest whose entry is kept: a multiple of 256. */
  readonly minimum_index: number;
  /** Files that end at or below are gone; behind the other while they still go. */
  readonly removed_until: number;
}

export interface Pruning {
  /** The lowest index whose entry is kept. */
  minimumIndex(): number;
  /** Drops what came before a time, in milliseconds since 1970. Throws what the disk throws; another run goes on. */
  prune(beforeMs: number): Promise<void>;
}

export interface PruningWorld {
  readonly files: AuditFiles;
  readonly audit: Pick<AuditLog, 'checkpoint' | 'saysPruned'>;
  /** On record before anything goes. */
  note(minimumIndex: number, beforeMs: number): Promise<void>;
}

export async function openPruning({ files, audit, note }: PruningWorld): Promise<Pruning> {
  let pruned = await readPruned(files);

  const keep = async (next: Pruned): Promise<void> => {
    await files.replace(PRUNED, Buffer.from(JSON.stringify(next)));
    pruned = next;
  };
  const raise = async (beforeMs: number): Promise<void> => {
    const { size } = audit.checkpoint();
    const index = TILE_WIDTH * (await bundleAt(files, { from: pruned.minimum_index, size }, beforeMs));
    if (index <= pruned.minimum_index) return;
    await audit.saysPruned(index);
    await note(index, beforeMs);
    await keep({ ...pruned, minimum_index: index });
  };
  const remove = async (): Promise<void> => {
    const { minimum_index, removed_until } = pruned;
    if (removed_until === minimum_index) return;
    const until = Math.min(minimum_index, removed_until + BUNDLES_AT_ONCE * TILE_WIDTH);
    await files.remove(endingWithin(removed_until, until));
    await keep({ minimum_index, removed_until: until });
  };

  return {
    minimumIndex: () => pruned.minimum_index,
    async prune(beforeMs) {
      await raise(beforeMs);
      await remove();
    },
  };
}

/** Bundles and full tiles whose end index lies above `from` and not above `to`, both multiples of 256. */
export function* endingWithin(from: number, to: number): Generator<string> {
  for (let index = from / TILE_WIDTH; index < to / TILE_WIDTH; index += 1)
    yield bundlePath({ index, width: TILE_WIDTH });
  for (let level = 0; level <= TILE_LEVEL_MAX; level += 1) {
    const span = TILE_WIDTH ** (level + 1);
    if (span > to) return;
    for (let index = Math.floor(from / span); index < Math.floor(to / span); index += 1)
      yield tilePath({ level, index, width: TILE_WIDTH });
  }
}

/** Nothing, of a log that was never pruned. */
export async function readPruned(files: Pick<AuditFiles, 'read'>): Promise<Pruned> {
  try {
    return JSON.parse((await files.read(PRUNED)).toString()) as Pruned;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return { minimum_index: 0, removed_until: 0 };
    throw failure;
  }
}
