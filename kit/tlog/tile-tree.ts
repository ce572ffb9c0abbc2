// A tree that grows by leaves and gives off tiles. It remembers only the hashes at its right edge, at most 255 a level:
//
//   level 1   r r .            the roots of whole tiles below
//   level 0   h h h h h .      leaves since the last whole tile
//
// Whoever appends takes what changed and writes it down; whoever reads back compares.

import { EMPTY_ROOT, nodeHash, rootOf, splitOf } from './merkle.ts';
import type { ReadTile } from './tile-hashes.ts';
import { decodeTile, partialTiles, TILE_WIDTH, type Tile } from './tiles.ts';

export interface TileBytes extends Tile {
  readonly bytes: Buffer;
}

export interface TileTree {
  readonly size: number;
  append(leaf: Uint8Array): void;
  root(): Uint8Array;
  /** Tiles that became whole since last asked, then the partial ones that grew. */
  takeTiles(): TileBytes[];
}

export function createTileTree(size = 0, edge: Uint8Array[][] = []): TileTree {
  let whole: TileBytes[] = [];
  let grown = new Set<number>();
  let leaves = size;

  const add = (level: number, hash: Uint8Array): void => {
    edge[level] ??= [];
    const hashes = edge[level];
    hashes.push(hash);
    grown.add(level);
    if (hashes.length < TILE_WIDTH) return;
    const index = Math.floor(leaves / TILE_WIDTH ** (level + 1)) - 1;
    whole.push({ level, index, width: TILE_WIDTH, bytes: Buffer.concat(hashes) });
    edge[level] = [];
    add(level + 1, rootOf(hashes));
  };

  return {
    get size() {
      return leaves;
    },
    append(leaf) {
      leaves += 1;
      add(0, leaf);
    },
    root: () => rootOfEdge(edge),
    takeTiles() {
      const partial = partialTiles(leaves).filter(({ level }) => grown.has(level));
      const tiles = [
        ...whole,
        ...partial.map((tile) => ({ ...tile, bytes: Buffer.concat(edge[tile.level]!) })),
      ];
      whole = [];
      grown = new Set();
      return tiles;
    },
  };
}

/** The tree of `size` leaves whose tiles lie somewhere. Rejects where one is missing or not as wide as it must be. */
export async function openTileTree(size: number, read: ReadTile): Promise<TileTree> {
  const edge: Uint8Array[][] = [];
  for (const tile of partialTiles(size)) {
    while (edge.length < tile.level) edge.push([]);
    edge.push(decodeTile(await read(tile), tile.width));
  }
  return createTileTree(size, edge);
}

/** From the smallest subtree at the right up. */
function rootOfEdge(edge: readonly (readonly Uint8Array[])[]): Uint8Array {
  let root: Uint8Array | undefined;
  for (const hashes of edge)
    for (const subtree of wholeSubtrees(hashes)) root = root ? nodeHash(subtree, root) : subtree;
  return root ?? EMPTY_ROOT;
}

/** The roots of the whole subtrees that a level's hashes make up, the last and smallest first. */
function wholeSubtrees(hashes: readonly Uint8Array[]): Uint8Array[] {
  const roots: Uint8Array[] = [];
  for (let rest = hashes; rest.length > 0; ) {
    const size = splitOf(rest.length + 1);
    roots.unshift(rootOf(rest.slice(0, size)));
    rest = rest.slice(size);
  }
  return roots;
}
