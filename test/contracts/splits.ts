// Where the bytes of a stream are split: reading one at each of its bytes takes time with the square of its length. Up to
// 1 KiB it is at every byte; beyond, at every byte about a line's end, of the first and last 64, and at 400 others, the
// same in each run.

import { randomFrom } from '../fuzz/random.ts';

const WHOLLY_BYTES_MAX = 1024;
const ABOUT_BYTES = 2;
const EDGE_BYTES = 64;
const OTHERS = 400;
const LINE_FEED = 0x0a;

/** Ascending, from 1 to one less than the length. */
export function splitsOf(bytes: Buffer): number[] {
  const all = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
  if (bytes.length <= WHOLLY_BYTES_MAX) return all;
  const random = randomFrom(bytes.length);
  const others = new Set(Array.from({ length: OTHERS }, () => random.below(bytes.length)));
  return all.filter(
    (at) =>
      others.has(at) ||
      at <= EDGE_BYTES ||
      at >= bytes.length - EDGE_BYTES ||
      bytes.subarray(Math.max(0, at - 1 - ABOUT_BYTES), at + ABOUT_BYTES).includes(LINE_FEED),
  );
}
