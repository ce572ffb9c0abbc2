// The log's files as they are copied into an export, and which links of which chains its leaves brought. A file that is
// missing or damaged does not end it: what is exported is what is there, and a verifier names the rest.

import { decodeLeaf, type Leaf } from '../../contract/audit/leaf.ts';
import { sentenceOf } from '../../kit/log.ts';
import { HASH_BYTES } from '../../kit/tlog/merkle.ts';
import { readGrown } from '../../kit/tlog/tile-hashes.ts';
import {
  bundlePath,
  decodeBundle,
  encodeBundle,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from '../../kit/tlog/tiles.ts';
import type { CollectorClient } from '../collector-client.ts';

/** By when requests came; null: from the beginning, to the end. */
export interface Range {
  readonly since: string | null;
  readonly until: string | null;
}

/** Stream → links that leaves of the range brought, first and last of each stretch. */
export type Brought = ReadonlyMap<string, readonly (readonly [first: number, last: number])[]>;

interface Copied {
  readonly size: number;
  /** The lowest index whose entry is kept. */
  readonly from: number;
  /** Where the log lies, here and there: '' or a folder with its slash. */
  readonly under: string;
}

export interface LogCopy {
  readonly brought: Brought;
  /** A sentence for each file that is not as it should be. */
  readonly lacking: readonly string[];
  log(log: Copied): Promise<void>;
}

export function startCopy(
  collector: Pick<CollectorClient, 'bytes'>,
  range: Range,
  put: (path: string, bytes: Uint8Array) => Promise<void>,
): LogCopy {
  const brought = new Map<string, [first: number, last: number][]>();
  const lacking: string[] = [];

  /** As wide as wanted, or wider; null, and noted, where there is none. */
  const bytesAt = async (path: (width: number) => string, width: number): Promise<Buffer | null> => {
    const bytes = await readGrown(width, (wide) => collector.bytes(`/v1/audit/${path(wide)}`));
    if (bytes === null) lacking.push(`${path(width)} is missing`);
    return bytes;
  };
  const copyTile = async (path: (width: number) => string, width: number): Promise<void> => {
    const hashes = await bytesAt(path, width);
    if (hashes) await put(path(width), hashes.subarray(0, width * HASH_BYTES));
  };
  const copyEntries = async (path: (width: number) => string, width: number): Promise<void> => {
    const bytes = await bytesAt(path, width);
    if (bytes === null) return;
    try {
      const entries = decodeBundle(bytes).slice(0, width);
      await put(path(width), encodeBundle(entries));
      for (const entry of entries) take(brought, decodeLeaf(entry), range);
    } catch (failure) {
      lacking.push(`${path(width)} can't be read (${sentenceOf(failure)})`);
      await put(path(width), bytes);
    }
  };

  return {
    brought,
    lacking,
    async log({ size, from, under }) {
      for (let level = 0; tileWidth(size, level, 0) > 0; level += 1)
        for (let index = Math.floor(from / TILE_WIDTH ** (level + 1)); ; index += 1) {
          const width = tileWidth(size, level, index);
          if (width === 0) break;
          await copyTile((wide) => under + tilePath({ level, index, width: wide }), width);
          if (level === 0) await copyEntries((wide) => under + bundlePath({ index, width: wide }), width);
        }
    },
  };
}

function take(
  ranges: Map<string, [number, number][]>,
  { chains, receivedMs }: Leaf,
  { since, until }: Range,
): void {
  const isWithin =
    (since === null || receivedMs >= Date.parse(since)) && (until === null || receivedMs < Date.parse(until));
  for (const { stream, first, last } of chains) {
    const own = ranges.get(stream) ?? [];
    ranges.set(stream, own);
    const before = own.at(-1);
    if (!isWithin) continue;
    if (before && before[1] + 1 === first) before[1] = last;
    else own.push([first, last]);
  }
}
