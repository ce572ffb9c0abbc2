// The hash tree of a transparency log: a leaf is hashed behind 0x00, a node behind 0x01, so that neither passes for the
// other, and a list is split at the largest power of two below its length.
// Source: RFC 6962 § 2.1. Sizes and indexes are plain numbers, exact up to 2⁵³; so no bit operator touches them.

import { hash } from 'node:crypto';

export const HASH_BYTES = 32;
export const EMPTY_ROOT: Uint8Array = hash('sha256', '', 'buffer');

const LEAF = Buffer.of(0);
const pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

export function leafHash(entry: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([LEAF, entry]), 'buffer');
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return hash('sha256', pair, 'buffer');
}

/** The root over leaf hashes, or over the roots of subtrees of one size. */
export function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only === undefined) return EMPTY_ROOT;
  if (hashes.length === 1) return only;
  const half = splitOf(hashes.length);
  return nodeHash(rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)));
}

/** The largest power of two below `size`, which is at least 2. */
export function splitOf(size: number): number {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
}

export const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
export const sameHash = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
