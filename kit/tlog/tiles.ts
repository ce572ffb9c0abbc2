// A log as files: hash tiles 256 wide, and bundles of entries beside those of the lowest level.
//
//   tile/1/000      ┌ root of tile/0/000 ┬ root of tile/0/001 ┬ …
//   tile/0/000      ┌ leaf 0 ┬ … ┬ leaf 255 ┐   tile/0/001.p/3 ┌ 256 ┬ 257 ┬ 258 ┐    the last one of a level is partial
//   tile/entries/…  the entries those leaves are the hashes of, each behind its length in two bytes
//
// A whole tile never changes; a partial one may go once it is whole. Source: C2SP tlog-tiles.

import { HASH_BYTES } from './merkle.ts';

export const TILE_WIDTH = 256;
export const ENTRY_BYTES_MAX = 65_535;
export const TILE_LEVEL_MAX = 63;

export interface Tile {
  /** Of hash tiles; the entries' bundles lie beside those of level 0. */
  readonly level: number;
  readonly index: number;
  /** 256, or fewer in a partial one. */
  readonly width: number;
}

export const tilePath = ({ level, index, width }: Tile): string => pathUnder(String(level), index, width);
export const bundlePath = ({ index, width }: Omit<Tile, 'level'>): string =>
  pathUnder('entries', index, width);

function pathUnder(folder: string, index: number, width: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.../g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${folder}/${path}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

/** How many hashes the tile has in a tree of `size` leaves; 0 if it has none. */
export function tileWidth(size: number, level: number, index: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH;
  return Math.max(0, Math.min(TILE_WIDTH, hashes));
}

/** The last tile of each level that is not whole. */
export function partialTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const width = hashes % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: Math.floor(hashes / TILE_WIDTH), width });
  }
  return tiles;
}

/** Throws RangeError for an entry of more than 65535 bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(entries.flatMap((entry) => [lengthOf(entry), entry]));
}

function lengthOf({ length }: Uint8Array): Buffer {
  const prefix = Buffer.allocUnsafe(2);
  prefix.writeUInt16BE(length);
  return prefix;
}

/** The entries of a bundle, as views of its bytes. Throws Error where it is cut off. */
export function decodeBundle(bytes: Buffer): Buffer[] {
  const { entries, isWhole } = entriesIn(bytes);
  if (!isWhole) throw new Error(`The bundle is cut off in its entry ${entries.length}.`);
  return entries;
}

/** Those before the one in which it is cut off, or all. */
export function entriesIn(bytes: Buffer): { readonly entries: Buffer[]; readonly isWhole: boolean } {
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + 2;
    const end = start <= bytes.length ? start + bytes.readUInt16BE(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) return { entries, isWhole: false };
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  return { entries, isWhole: true };
}

/** The hashes of a tile, as views of its bytes. Throws Error where they are not `width` hashes. */
export function decodeTile(bytes: Buffer, width: number): Buffer[] {
  if (bytes.length !== width * HASH_BYTES)
    throw new Error(`The tile has ${bytes.length} bytes; ${width} hashes are ${width * HASH_BYTES}.`);
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}
