// A leaf reads back as it was written, and in no other way: one leaf, one hash.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLeaf, encodeLeaf, LEAF_KINDS, LEAF_SIGNALS, type Leaf } from '../../../contract/audit/leaf.ts';

const LEAF: Leaf = {
  kind: 'request',
  receivedMs: 1_795_000_000_123,
  signal: 'traces',
  sender: 'trend-scout/host-1',
  segment: '01k0aaaa-0001',
  items: 300,
  digest: Buffer.alloc(32, 7),
  chains: [{ stream: '7d0c9a1e', first: 4_000, last: 4_299, head: 'ab'.repeat(32) }],
};

const hex32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const short = fc
  .string({ maxLength: 40, unit: 'grapheme' })
  .filter((text) => Buffer.byteLength(text) < 2_048);
const leaves = fc.record({
  kind: fc.constantFrom(...LEAF_KINDS),
  receivedMs: fc.nat(),
  signal: fc.constantFrom(...LEAF_SIGNALS),
  sender: short,
  segment: short,
  items: fc.nat(),
  digest: hex32,
  chains: fc.array(
    fc
      .record({ stream: short, first: fc.maxSafeNat().map((n) => n >> 1), more: fc.nat(), head: hex32 })
      .map(({ stream, first, more, head }) => ({
        stream,
        first: Math.abs(first),
        last: Math.abs(first) + more,
        head: head.toString('hex'),
      })),
    { maxLength: 5 },
  ),
});

describe('a leaf', () => {
  it('of a request with one chain takes less than 150 bytes', () => {
    expect(encodeLeaf(LEAF).length).toBeLessThan(150);
  });

  it('reads back, whatever it holds', () => {
    fc.assert(
      fc.property(leaves, (leaf) => {
        expect(decodeLeaf(encodeLeaf(leaf))).toEqual(leaf);
      }),
    );
  });

  it('cut or with more behind it is none', () => {
    const bytes = encodeLeaf(LEAF);
    for (let end = 1; end < bytes.length; end += 1)
      expect(() => decodeLeaf(bytes.subarray(0, end))).toThrow(/do not add up/);
    expect(() => decodeLeaf(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(/do not add up/);
  });

  it('that says a text is longer than memory is none', () => {
    const bytes = encodeLeaf(LEAF);
    const longer = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]); // 2^49 - 1
    expect(() => decodeLeaf(Buffer.concat([bytes.subarray(0, 11), longer, bytes.subarray(12)]))).toThrow(
      /do not add up/,
    );
  });

  it('of another version is not guessed at', () => {
    const bytes = encodeLeaf(LEAF);
    bytes[0] = 9;
    expect(() => decodeLeaf(bytes)).toThrow('It is a leaf of version 9; known is 1.');
  });

  it('never decodes to what would be written otherwise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        const bytes = Buffer.concat([Buffer.of(1), random]);
        try {
          expect(encodeLeaf(decodeLeaf(bytes))).toEqual(bytes);
        } catch (failure) {
          expect(String(failure)).toMatch(/do not add up|RangeError/);
        }
      }),
    );
  });

  it('does not hold what has no room in it', () => {
    expect(() => encodeLeaf({ ...LEAF, sender: 'x'.repeat(2_049) })).toThrow(RangeError);
    expect(() => encodeLeaf({ ...LEAF, digest: Buffer.alloc(31) })).toThrow(RangeError);
    const chain = LEAF.chains[0]!;
    expect(() => encodeLeaf({ ...LEAF, chains: Array.from({ length: 257 }, () => chain) })).toThrow(
      RangeError,
    );
  });
});
