// The log itself, rebuilt twice: once from the entries, once from the hashes of the lowest tiles. Which of the two gives
// the root that was signed says what was touched: a tile, an entry, or both, and where they part says which.

import { sentenceOf } from '../../kit/log.ts';
import type { Checkpoint } from '../../kit/tlog/checkpoint.ts';
import { HASH_BYTES, sameHash } from '../../kit/tlog/merkle.ts';
import { consistencyProof, verifyConsistency } from '../../kit/tlog/proof.ts';
import { subtreeHashes } from '../../kit/tlog/tile-hashes.ts';
import { openTileTree, type TileTree } from '../../kit/tlog/tile-tree.ts';
import { TILE_WIDTH, type Tile, tilePath, tileWidth } from '../../kit/tlog/tiles.ts';
import type { ExportedFiles } from './export.ts';
import { leafHashes, readBundle, readTile } from './exported-tree.ts';
import type { Finding, FindingKind, Report } from './finding.ts';

export interface TreeInput {
  readonly files: ExportedFiles;
  readonly checkpoint: Checkpoint;
  /** Entries below are no longer kept; a multiple of 256. */
  readonly minimumIndex: number;
  /** Roots of prefixes that others hold or that were kept, the smallest first; none larger than the checkpoint. */
  readonly older: readonly OlderCheckpoint[];
  readonly report: Report;
  progress(leaves: number): void;
}

export interface OlderCheckpoint extends Pick<Checkpoint, 'size' | 'root'> {
  /** Where it comes from, for people. */
  readonly name: string;
}

interface Rebuilt {
  readonly byTiles: TileTree;
  readonly byEntries: TileTree;
  /** Where entries and lowest tiles part. */
  readonly leaves: Finding[];
  /** Tiles above that are not what those below give, and the first leaf below where they part. */
  readonly tiles: (Tile & { readonly leaf: number })[];
  /** The first prefix that has another root than its checkpoint says. */
  parted: OlderCheckpoint | null;
  /** The largest prefix that has the root its checkpoint says. */
  agreed: number;
  lacksEntries: boolean;
}

const KEPT_MAX = 1_000;

/** Reports what is not as it was signed; resolves to whether the tree is. */
export async function verifyTree(input: TreeInput): Promise<boolean> {
  const { checkpoint, report } = input;
  const rebuilt = await rebuild(input);
  if (rebuilt === null) return false;
  const isSigned = (tree: TileTree): boolean => sameHash(tree.root(), checkpoint.root);
  if (isSigned(rebuilt.byTiles)) {
    for (const finding of rebuilt.leaves) report(finding);
    for (const tile of rebuilt.tiles) report(alteredTile(tile));
    if (rebuilt.parted) report(forked(rebuilt.parted, checkpoint));
    return rebuilt.leaves.length === 0 && !rebuilt.lacksEntries;
  }
  if (isSigned(rebuilt.byEntries)) {
    for (const { log_index = 0 } of rebuilt.leaves)
      report(alteredTile(lowestTile(log_index, checkpoint.size)));
    return !rebuilt.lacksEntries;
  }
  report(rebuilt.leaves[0] ?? whereItParts(rebuilt, checkpoint.size));
  return false;
}

async function rebuild(input: TreeInput): Promise<Rebuilt | null> {
  const { minimumIndex, checkpoint, report } = input;
  const open = (): Promise<TileTree> => openTileTree(minimumIndex, (tile) => tileOfLarger(input, tile));
  const before = await Promise.all([open(), open()]).catch(sentenceOf);
  if (typeof before === 'string') {
    report({ kind: 'deleted', in: 'tile', what: before });
    return null;
  }
  const [byTiles, byEntries] = before;
  const rebuilt: Rebuilt = {
    byTiles,
    byEntries,
    leaves: [],
    tiles: [],
    parted: await partedBefore(input),
    agreed: 0,
    lacksEntries: false,
  };
  const older = input.older.filter(({ size }) => size > minimumIndex);
  for (let from = minimumIndex; from < checkpoint.size; from += TILE_WIDTH) {
    const place = lowestTile(from, checkpoint.size);
    const tile = await readTile(input.files, place);
    const entries = await readEntries(input, place);
    if (tile === null)
      report({
        kind: 'deleted',
        in: 'tile',
        file: tilePath(place),
        what: 'the tile is missing, or shorter than it was.',
      });
    if (entries === null) report(missingBundle(place, checkpoint.size));
    rebuilt.lacksEntries ||= entries === null;
    const hashes = tile ?? entries;
    if (hashes === null) return null;
    const found = entries && compareLeaves(from, entries, hashes, from + place.width === checkpoint.size);
    if (found && rebuilt.leaves.length < KEPT_MAX) rebuilt.leaves.push(found);
    for (const [at, hash] of hashes.entries()) {
      rebuilt.byTiles.append(hash);
      rebuilt.byEntries.append(entries?.[at] ?? hash);
      while (older[0]?.size === from + at + 1) meet(rebuilt, older.shift()!);
    }
    await compareTiles(input, rebuilt);
    input.progress(from + place.width);
  }
  return rebuilt;
}

function meet(rebuilt: Rebuilt, older: OlderCheckpoint): void {
  if (rebuilt.parted !== null) return;
  if (sameHash(rebuilt.byTiles.root(), older.root)) rebuilt.agreed = older.size;
  else rebuilt.parted = older;
}

/** Of the prefix whose entries are no longer kept, a proof from the tiles must do. */
async function partedBefore(input: TreeInput): Promise<Rebuilt['parted']> {
  const { checkpoint, minimumIndex } = input;
  const at = subtreeHashes(checkpoint.size, (tile) => tileOfLarger(input, tile));
  for (const older of input.older.filter(({ size }) => size > 0 && size <= minimumIndex)) {
    const proof = await consistencyProof(older.size, checkpoint.size, at).catch(() => null);
    const claim = { from: older.size, to: checkpoint.size, fromRoot: older.root, toRoot: checkpoint.root };
    if (proof === null || !verifyConsistency({ ...claim, proof })) return older;
  }
  return null;
}

async function tileOfLarger({ files, checkpoint }: TreeInput, tile: Tile): Promise<Buffer> {
  const width = tileWidth(checkpoint.size, tile.level, tile.index);
  const hashes = await readTile(files, { ...tile, width });
  if (hashes === null)
    throw new Error(`${tilePath({ ...tile, width })} is missing, or not as wide as its name says.`);
  return Buffer.concat(hashes.slice(0, tile.width));
}

async function readEntries(input: TreeInput, place: Tile): Promise<Buffer[] | null> {
  const entries = await readBundle(input.files, place);
  return entries && leafHashes(entries);
}

/** Tiles above the lowest, as far as they have grown. */
async function compareTiles(input: TreeInput, { byTiles, tiles }: Rebuilt): Promise<void> {
  for (const { bytes, ...tile } of byTiles.takeTiles()) {
    const isKnown = tiles.some(({ level, index }) => level === tile.level && index === tile.index);
    if (tile.level === 0 || isKnown || tiles.length >= KEPT_MAX) continue;
    const stored = await tileOfLarger(input, tile).catch(() => Buffer.alloc(0));
    const at = differsAt(stored, bytes);
    if (at === null) continue;
    const leaf = (tile.index * TILE_WIDTH + at) * TILE_WIDTH ** tile.level;
    tiles.push({ ...tile, width: tileWidth(input.checkpoint.size, tile.level, tile.index), leaf });
  }
}

/** Which hash of a tile is another, or null. */
function differsAt(stored: Buffer, given: Buffer): number | null {
  const byte = given.findIndex((value, at) => value !== stored[at]);
  return byte < 0 ? null : Math.floor(byte / HASH_BYTES);
}

/** The first entry that is not what its tile says, and what seems to have been done to it. */
function compareLeaves(
  from: number,
  entries: readonly Buffer[],
  hashes: readonly Buffer[],
  isLast: boolean,
): Finding | null {
  const at = hashes.findIndex((hash, index) => !entries[index]?.equals(hash));
  if (at < 0 && entries.length === hashes.length) return null;
  const index = at < 0 ? hashes.length : at;
  const kind = kindOf(index, entries, hashes, isLast);
  return { kind, in: 'leaf', log_index: from + index, what: WHAT[kind] };
}

function kindOf(
  at: number,
  entries: readonly Buffer[],
  hashes: readonly Buffer[],
  isLast: boolean,
): keyof typeof WHAT {
  const [entry, hash] = [entries[at], hashes[at]];
  if (entry === undefined) return isLast ? 'truncated' : 'deleted';
  if (hash === undefined) return 'inserted';
  const other = hashes.findIndex((each) => each.equals(entry));
  if (other >= 0 && entries[other]?.equals(hash)) return 'reordered';
  if (hashes[at + 1]?.equals(entry)) return 'deleted';
  if (entries[at + 1]?.equals(hash)) return 'inserted';
  return 'altered';
}

const WHAT = {
  altered: 'the entry is not the one whose hash is in the tree.',
  deleted: 'the entry is missing, and those after it moved up.',
  inserted: 'an entry stands there that is not in the tree.',
  reordered: 'it stands where another entry has its place.',
  truncated: 'it and those after it are missing.',
} satisfies Partial<Record<FindingKind, string>>;

function missingBundle({ index, width }: Tile, size: number): Finding {
  const log_index = index * TILE_WIDTH;
  const kind = log_index + width === size ? 'truncated' : 'deleted';
  return {
    kind,
    in: 'leaf',
    log_index,
    what: `the bundle of entries ${log_index} to ${log_index + width - 1} is missing.`,
  };
}

const lowestTile = (logIndex: number, size: number): Tile => {
  const index = Math.floor(logIndex / TILE_WIDTH);
  return { level: 0, index, width: tileWidth(size, 0, index) };
};

const alteredTile = (tile: Tile): Finding => ({
  kind: 'altered',
  in: 'tile',
  file: tilePath(tile),
  what: 'its hashes are not those of the tree that was signed.',
});

export function forked(older: OlderCheckpoint, { size }: Pick<Checkpoint, 'size'>): Finding {
  return {
    kind: 'forked',
    in: 'checkpoint',
    file: older.name,
    what: `a checkpoint of ${older.size} leaves was signed that the log of ${size} leaves does not begin with.`,
  };
}

/** Entries and lowest tiles agree with each other, and not with what was signed. */
function whereItParts({ tiles, parted, agreed }: Rebuilt, size: number): Finding {
  const lowest = tiles.find(({ level }) => level === 1);
  const log_index = Math.max(agreed, lowest?.leaf ?? 0);
  const until = Math.min(parted?.size ?? size, lowest ? lowest.leaf + TILE_WIDTH : size);
  const what = `the tree was rebuilt: an entry from here to ${until - 1} is not the one that was signed.`;
  return { kind: 'altered', in: 'leaf', log_index, what };
}
