// The marks of requests accepted in the last 24 hours, so that one sent twice is stored once. A mark is of the bytes, the signal
// and the sender: what nobody sent first must not make the same bytes of a sidecar, which mean more, a duplicate. Kept as 16 bytes each in
// open-addressing tables, one table for each stretch of time: forgetting a stretch is dropping its table. 20–40 bytes
// per request, and a bound: under a flood the oldest are forgotten before their 24 hours are over.

import { hash } from 'node:crypto';
import { invariant } from '../../kit/invariant.ts';
import type { Signal } from '../signals.ts';

export interface Digests {
  has(digest: Buffer): boolean;
  /** Times given do not go back by much. */
  add(digest: Buffer, atMs: number): void;
  /** Forgets what was added at times before `beforeMs`, give or take an hour. */
  forget(beforeMs: number): void;
  readonly size: number;
}

const STRETCH_MS = 3_600_000;
const STRETCHES_AT_BOUND = 8;
const WORDS = 4;
const FILL_MAX = 0.75;
const SLOTS_INITIAL = 1024;

interface Stretch {
  readonly startMs: number;
  slots: Uint32Array;
  size: number;
}

export function createDigests(entriesMax: number): Digests {
  let stretches: Stretch[] = []; // newest first: a resend comes soon
  let size = 0;
  const keep = (count: number): void => {
    for (const stretch of stretches.splice(count)) size -= stretch.size;
  };
  const current = (atMs: number): Stretch => {
    const newest = stretches[0];
    if (newest && atMs < newest.startMs + STRETCH_MS && newest.size < entriesMax / STRETCHES_AT_BOUND)
      return newest;
    const stretch = { startMs: atMs, slots: new Uint32Array(SLOTS_INITIAL * WORDS), size: 0 };
    stretches = [stretch, ...stretches];
    return stretch;
  };
  return {
    has: (digest) => {
      const words = wordsOf(digest);
      return stretches.some((stretch) => holds(stretch, words));
    },
    add(digest, atMs) {
      if (insert(current(atMs), wordsOf(digest))) size += 1;
      if (size > entriesMax) keep(stretches.length - 1);
    },
    forget: (beforeMs) => keep(stretches.filter(({ startMs }) => startMs + STRETCH_MS > beforeMs).length),
    get size() {
      return size;
    },
  };
}

/** Two requests with the same mark are one request sent twice. 32 bytes. */
export function markOf(digest: Buffer, signal: Signal, sender: string): Buffer {
  return hash('sha256', Buffer.concat([digest, Buffer.from(`${signal} ${sender}`)]), 'buffer');
}

type Words = readonly [number, number, number, number];

/** The first 128 bits; the lowest is set, so that no digest looks like an empty slot. */
function wordsOf(digest: Buffer): Words {
  invariant(digest.length >= 4 * WORDS, 'a digest has at least 16 bytes');
  return [
    (digest.readUInt32LE(0) | 1) >>> 0,
    digest.readUInt32LE(4),
    digest.readUInt32LE(8),
    digest.readUInt32LE(12),
  ];
}

/** Where the digest stands, or the empty slot where it would. */
function slotOf(slots: Uint32Array, words: Words): number {
  const count = slots.length / WORDS;
  for (let slot = words[1] % count; ; slot = (slot + 1) % count) {
    const at = slot * WORDS;
    if (slots[at] === 0) return at;
    if (words.every((word, index) => slots[at + index] === word)) return at;
  }
}

function holds({ slots }: Stretch, words: Words): boolean {
  return slots[slotOf(slots, words)] !== 0;
}

/** False if it was there already. */
function insert(stretch: Stretch, words: Words): boolean {
  const at = slotOf(stretch.slots, words);
  if (stretch.slots[at] !== 0) return false;
  stretch.slots.set(words, at);
  stretch.size += 1;
  if (stretch.size > FILL_MAX * (stretch.slots.length / WORDS)) stretch.slots = grown(stretch.slots);
  return true;
}

function grown(slots: Uint32Array): Uint32Array {
  const bigger = new Uint32Array(slots.length * 2);
  for (let at = 0; at < slots.length; at += WORDS) {
    if (slots[at] === 0) continue;
    const words: Words = [slots[at]!, slots[at + 1]!, slots[at + 2]!, slots[at + 3]!];
    bigger.set(words, slotOf(bigger, words));
  }
  return bigger;
}
