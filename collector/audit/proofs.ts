// Proofs from the log's own files: that a request is in it, and that a later tree begins with an earlier one. A request is
// looked for by its digest, in bundles from the newest on, or around the time it was sent: there is no index to keep true.

import { decodeLeaf } from '../../contract/audit/leaf.ts';
import { consistencyProof, inclusionProof } from '../../kit/tlog/proof.ts';
import { writeProof } from '../../kit/tlog/proof-text.ts';
import { subtreeHashes } from '../../kit/tlog/tile-hashes.ts';
import { bundlePath, decodeBundle, TILE_WIDTH, tilePath } from '../../kit/tlog/tiles.ts';
import type { AuditFiles } from './files.ts';
import type { SignedCheckpoint } from './log.ts';

type Reading = Pick<AuditFiles, 'read'>;

/** A million leaves: what one question may read. */
const BUNDLES_MAX = 4_096;
/** A sender's clock, and how long a request may have waited before it was sent. */
const AROUND_MS = 600_000;

/** A C2SP tlog-proof of the request with that digest, or null where it is not found. `atMs`: about when it was sent. */
export async function proofOf(
  files: Reading,
  { size, note }: SignedCheckpoint,
  digest: Buffer,
  atMs: number | null,
): Promise<string | null> {
  const index = await indexOf(files, size, digest, atMs);
  if (index === null) return null;
  const hashes = await inclusionProof(index, size, hashesIn(files, size));
  return writeProof({ index, hashes, checkpoint: note });
}

/** Throws RangeError unless `from` and `to` are sizes of this log, in that order. */
export function consistencyOf(files: Reading, size: number, from: number, to: number): Promise<Uint8Array[]> {
  if (to > size) throw new RangeError(`The log has ${size} leaves, not ${to}.`);
  return consistencyProof(from, to, hashesIn(files, size));
}

const hashesIn = (files: Reading, size: number) => subtreeHashes(size, (tile) => files.read(tilePath(tile)));

async function indexOf(
  files: Reading,
  size: number,
  digest: Buffer,
  atMs: number | null,
): Promise<number | null> {
  const count = Math.ceil(size / TILE_WIDTH);
  const first =
    atMs === null ? Math.max(0, count - BUNDLES_MAX) : await bundleAt(files, size, atMs - AROUND_MS);
  for (let step = 0; step < Math.min(BUNDLES_MAX, count - first); step += 1) {
    const bundle = atMs === null ? count - 1 - step : first + step;
    const bytes = await bundleBytes(files, size, bundle);
    if (!bytes.includes(digest)) continue;
    const at = decodeBundle(bytes).findIndex((entry) => isOf(entry, digest));
    if (at >= 0) return bundle * TILE_WIDTH + at;
  }
  return null;
}

function isOf(entry: Buffer, digest: Buffer): boolean {
  const leaf = decodeLeaf(entry);
  return leaf.kind === 'request' && digest.equals(leaf.digest);
}

/** The last bundle that begins before that time: leaves stand in the order of their times. */
async function bundleAt(files: Reading, size: number, atMs: number): Promise<number> {
  let [low, high] = [0, Math.ceil(size / TILE_WIDTH)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const [entry] = decodeBundle(await bundleBytes(files, size, middle));
    if (entry && decodeLeaf(entry).receivedMs < atMs) low = middle;
    else high = middle;
  }
  return low;
}

function bundleBytes(files: Reading, size: number, index: number): Promise<Buffer> {
  return files.read(bundlePath({ index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) }));
}
