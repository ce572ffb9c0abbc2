// The tree as it grows, and the files that say so. What has a place in it is still nobody's to rely on:
//
//   placed ─▶ bundle, tiles, marks durable ─▶ signed ─▶ checkpoint durable
//
// A checkpoint that was not written for good is not the tree's: the next one stands on the same files and more.

import { encodeLeaf, type Leaf } from '../../contract/audit/leaf.ts';
import type { Clock } from '../../kit/clock.ts';
import { signCheckpoint } from '../../kit/tlog/checkpoint.ts';
import { leafHash } from '../../kit/tlog/merkle.ts';
import type { NoteSigner } from '../../kit/tlog/note.ts';
import type { TileTree } from '../../kit/tlog/tile-tree.ts';
import { bundlePath, encodeBundle, partialTiles, TILE_WIDTH, tilePath } from '../../kit/tlog/tiles.ts';
import type { AuditFiles, FileBytes } from './files.ts';
import type { Marks } from './order.ts';

export interface SignedCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly signedMs: number;
  /** As a signed note. */
  readonly note: string;
}

/** When it comes is said where it is placed. */
export type NewLeaf = Omit<Leaf, 'receivedMs'>;

export interface Growing {
  readonly files: AuditFiles;
  readonly tree: TileTree;
  /** Entries behind the last whole bundle. */
  readonly entries: readonly Buffer[];
  readonly origin: string;
  /** The log's own key; while it is replaced, the one before too. */
  readonly signers: readonly NoteSigner[];
  /** When the last leaf on disk came. */
  readonly lastMs: number;
  readonly checkpoint: SignedCheckpoint | null;
  readonly clock: Clock;
}

export interface Growth {
  /** The newest on disk. */
  readonly newest: SignedCheckpoint | null;
  /** Leaves in the tree that are under no checkpoint on disk. */
  readonly unsigned: number;
  /** `atMs`: when it came; no leaf stands before one that came earlier. */
  place(leaf: NewLeaf, atMs: number): void;
  /** Everything placed until now is under the checkpoint it answers; throws what the disk throws. */
  write(marks: Marks): Promise<SignedCheckpoint>;
}

export function createGrowth({ files, tree, origin, signers, clock, ...world }: Growing): Growth {
  let entries = [...world.entries];
  let unwritten: FileBytes[] = [];
  let { lastMs, checkpoint: newest } = world;

  const closeBundle = (): void => {
    const index = tree.size / TILE_WIDTH - 1;
    unwritten.push({ path: bundlePath({ index, width: TILE_WIDTH }), bytes: encodeBundle(entries) });
    entries = [];
  };

  return {
    get newest() {
      return newest;
    },
    get unsigned() {
      return tree.size - (newest?.size ?? 0);
    },
    place(leaf, atMs) {
      lastMs = Math.max(lastMs, Math.trunc(atMs));
      const entry = encodeLeaf({ ...leaf, receivedMs: lastMs });
      tree.append(leafHash(entry));
      entries.push(entry);
      if (entries.length === TILE_WIDTH) closeBundle();
    },
    async write(marks) {
      unwritten.push(...tree.takeTiles().map((tile) => ({ path: tilePath(tile), bytes: tile.bytes })));
      const written = unwritten.length;
      const { size } = tree;
      const root = tree.root();
      await files.write([...unwritten, ...partialBundle(size, entries), marksFile(size, marks)]);
      const note = signCheckpoint({ origin, size, root }, signers);
      await files.replace(CHECKPOINT, Buffer.from(note));
      unwritten = unwritten.slice(written);
      newest = { origin, size, root, note, signedMs: clock.nowMs() };
      return newest;
    },
  };
}

export const CHECKPOINT = 'checkpoint';
export const marksPath = (size: number): string => `marks/${size}.json`;

function marksFile(size: number, marks: Marks): FileBytes {
  return { path: marksPath(size), bytes: Buffer.from(JSON.stringify(marks)) };
}

function partialBundle(size: number, entries: readonly Buffer[]): FileBytes[] {
  if (entries.length === 0) return [];
  const index = Math.floor(size / TILE_WIDTH);
  return [{ path: bundlePath({ index, width: entries.length }), bytes: encodeBundle(entries) }];
}

/** The partial files a tree of `size` leaves needs; all others are older. */
export function keptPartial(size: number): readonly string[] {
  const tiles = partialTiles(size);
  return [
    ...tiles.map(tilePath),
    ...tiles.filter(({ level }) => level === 0).map(bundlePath),
    marksPath(size),
  ];
}
