// The roots of subtrees, taken from the tiles of a tree: what building a proof asks for, and what a tree that grows on is
// opened with. Nothing here is believed: whoever verifies computes up to a root that was signed.

import { rootOf } from './merkle.ts';
import type { SubtreeHash } from './proof.ts';
import { decodeTile, TILE_WIDTH, type Tile, tileWidth } from './tiles.ts';

/** The bytes of one tile; rejects if it is not there. */
export type ReadTile = (tile: Tile) => Promise<Buffer>;

const LEVELS_A_TILE = 8;

/**
 * What `read` gives for the first width, from `width` up, at which there is anything; null where there is nothing. Of a tree
 * that grows meanwhile: a partial tile goes once it has grown, and then a wider one, or the whole one, begins as it did.
 */
export async function readGrown<T>(
  width: number,
  read: (wide: number) => Promise<T | null>,
): Promise<T | null> {
  for (let wide = width; wide <= TILE_WIDTH; wide += 1) {
    const found = await read(wide);
    if (found !== null) return found;
  }
  return null;
}

/** Reads the tiles of a tree of `size` leaves. The promise rejects for a subtree the tree has not whole. */
export function subtreeHashes(size: number, read: ReadTile): SubtreeHash {
  return async (level, index) => {
    const tileLevel = Math.floor(level / LEVELS_A_TILE);
    const span = 2 ** (level % LEVELS_A_TILE);
    const tileIndex = Math.floor((index * span) / TILE_WIDTH);
    const width = tileWidth(size, tileLevel, tileIndex);
    const from = index * span - tileIndex * TILE_WIDTH;
    if (from + span > width) throw new RangeError(`A tree of ${size} leaves has no whole ${level}/${index}.`);
    const bytes = await read({ level: tileLevel, index: tileIndex, width });
    return rootOf(decodeTile(bytes, width).slice(from, from + span));
  };
}
