// Proofs from the log's own files: that a request is in it, and that a later tree begins with an earlier one. A request is
// looked for by its digest, in bundles from the newest on, or around the time it was sent: there is no index to keep true.
// The log grows meanwhile, and its partial files with it: what is read is what stood under the checkpoint that was asked of.

import { decodeLeaf } from '../../contract/audit/leaf.ts';
import { HASH_BYTES } from '../../kit/tlog/merkle.ts';
import { consistencyProof, inclusionProof } from '../../kit/tlog/proof.ts';
import { writeProof } from '../../kit/tlog/proof-text.ts';
import { readGrown, subtreeHashes } from '../../kit/tlog/tile-hashes.ts';
import { bundlePath, decodeBundle, TILE_WIDTH, tilePath } from '../../kit/tlog/tiles.ts';
import type { AuditFiles } from './files.ts';
import type { SignedCheckpoint } from './growth.ts';

type Reading = Pick<AuditFiles, 'read'>;

/** A million leaves: what one question may read. */
const BUNDLES_MAX = 4_096;
/** A sender's clock, and how long a request may have waited before it was sent. */
const AROUND_MS = 600_000;

export interface Whereabouts {
  /** About when it was sent; null: lately. */
  readonly atMs: number | null;
  /** The lowest index whose entry is kept. */
  readonly minimumIndex: number;
}

/** A C2SP tlog-proof of the request with that digest, or null where it is not found. */
export async function proofOf(
  files: Reading,
  { size, note }: SignedCheckpoint,
  digest: Buffer,
  { atMs, minimumIndex }: Whereabouts,
): Promise<string | null> {
  const index = await indexOf(files, { from: minimumIndex, size }, digest, atMs);
  if (index === null) return null;
  const hashes = await inclusionProof(index, size, hashesIn(files, size));
  return writeProof({ index, hashes, checkpoint: note });
}

/** Throws RangeError unless `from` and `to` are sizes of this log, in that order. */
export function consistencyOf(files: Reading, size: number, from: number, to: number): Promise<Uint8Array[]> {
  if (to > size) throw new RangeError(`The log has ${size} leaves, not ${to}.`);
  return consistencyProof(from, to, hashesIn(files, size));
}

const hashesIn = (files: Reading, size: number) =>
  subtreeHashes(size, async ({ width, ...tile }) => {
    const bytes = await grown(files, width, (wide) => tilePath({ ...tile, width: wide }));
    return bytes.subarray(0, width * HASH_BYTES);
  });

async function indexOf(
  files: Reading,
  kept: Kept,
  digest: Buffer,
  atMs: number | null,
): Promise<number | null> {
  const { from, size } = kept;
  const count = Math.ceil(size / TILE_WIDTH);
  const first =
    atMs === null
      ? Math.max(from / TILE_WIDTH, count - BUNDLES_MAX)
      : await bundleAt(files, kept, atMs - AROUND_MS);
  for (let step = 0; step < Math.min(BUNDLES_MAX, count - first); step += 1) {
    const bundle = atMs === null ? count - 1 - step : first + step;
    const bytes = await bundleBytes(files, size, bundle);
    if (!bytes.includes(digest)) continue;
    const at = decodeBundle(bytes).findIndex((entry) => isOf(entry, digest));
    if (at >= 0 && bundle * TILE_WIDTH + at < size) return bundle * TILE_WIDTH + at;
  }
  return null;
}

function isOf(entry: Buffer, digest: Buffer): boolean {
  const leaf = decodeLeaf(entry);
  return leaf.kind === 'request' && digest.equals(leaf.digest);
}

/** What is there of a log: entries from an index on, a multiple of 256. */
interface Kept {
  readonly from: number;
  readonly size: number;
}

/** The last bundle kept that begins before that time, else the first: leaves stand in the order of their times. */
export async function bundleAt(files: Reading, { from, size }: Kept, atMs: number): Promise<number> {
  let [low, high] = [from / TILE_WIDTH, Math.ceil(size / TILE_WIDTH)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const [entry] = decodeBundle(await bundleBytes(files, size, middle));
    if (entry && decodeLeaf(entry).receivedMs < atMs) low = middle;
    else high = middle;
  }
  return low;
}

/** When the first entry that is kept came, in milliseconds since 1970. Throws where it is not there or reads as none. */
export async function firstKeptMs(files: Reading, { from, size }: Kept): Promise<number> {
  const [entry] = decodeBundle(await bundleBytes(files, size, from / TILE_WIDTH));
  if (!entry) throw new Error('The log has no entry.');
  return decodeLeaf(entry).receivedMs;
}

/** It may hold more than a tree of `size` leaves does. */
function bundleBytes(files: Reading, size: number, index: number): Promise<Buffer> {
  const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  return grown(files, width, (wide) => bundlePath({ index, width: wide }));
}

async function grown(files: Reading, width: number, path: (wide: number) => string): Promise<Buffer> {
  const bytes = await readGrown(width, (wide) => files.read(path(wide)).catch(nullIfGone));
  return bytes ?? files.read(path(width)); // says which file is not there
}

function nullIfGone(failure: NodeJS.ErrnoException): null {
  if (failure.code === 'ENOENT') return null;
  throw failure;
}
