// Reads tiles and bundles of an exported log. A tile of a larger tree begins with the hashes of a smaller one, so a whole
// one serves where a partial one is asked for.

import { leafHash } from '../../kit/tlog/merkle.ts';
import { bundlePath, decodeTile, entriesIn, TILE_WIDTH, type Tile, tilePath } from '../../kit/tlog/tiles.ts';
import type { ExportedFiles } from './export.ts';

/** Null where it is not there, or not as wide. */
export async function readTile(files: ExportedFiles, tile: Tile): Promise<Buffer[] | null> {
  const bytes = await readEither(files, tilePath(tile), tilePath({ ...tile, width: TILE_WIDTH }));
  const width = bytes ? bytes.length / 32 : 0;
  return bytes && Number.isInteger(width) && width >= tile.width
    ? decodeTile(bytes, width).slice(0, tile.width)
    : null;
}

/** Null where it is not there; of one that is cut off the entries before. */
export async function readBundle(
  files: ExportedFiles,
  bundle: Omit<Tile, 'level'>,
): Promise<Buffer[] | null> {
  const exact = await read(files, bundlePath(bundle));
  if (exact || bundle.width === TILE_WIDTH) return exact && entriesIn(exact).entries;
  const whole = await read(files, bundlePath({ ...bundle, width: TILE_WIDTH }));
  return whole && entriesIn(whole).entries.slice(0, bundle.width);
}

export const leafHashes = (entries: readonly Buffer[]): Buffer[] => entries.map(leafHash);

async function readEither(files: ExportedFiles, path: string, other: string): Promise<Buffer | null> {
  return (await read(files, path)) ?? (await read(files, other));
}

const read = (files: ExportedFiles, path: string): Promise<Buffer | null> =>
  files.read(path).catch(() => null);
