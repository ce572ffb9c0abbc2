// Proofs built from tiles hold, for every leaf and every pair of sizes, and none holds any more once a byte was altered.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash, rootOf } from '../../../kit/tlog/merkle.ts';
import type { SubtreeHash } from '../../../kit/tlog/proof.ts';
import {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
} from '../../../kit/tlog/proof.ts';
import { subtreeHashes } from '../../../kit/tlog/tile-hashes.ts';
import { createTileTree, openTileTree } from '../../../kit/tlog/tile-tree.ts';
import { tilePath } from '../../../kit/tlog/tiles.ts';

const SIZE_MAX = 300;
const LEAVES = Array.from({ length: SIZE_MAX }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)));
const ROOTS = Array.from({ length: SIZE_MAX + 1 }, (_, size) => rootOf(LEAVES.slice(0, size)));

/** Every tile that was ever taken, as a disk would hold them. */
const files = new Map<string, Buffer>();
const grown = createTileTree();
for (const leaf of LEAVES) {
  grown.append(leaf);
  for (const tile of grown.takeTiles()) files.set(tilePath(tile), tile.bytes);
}
const read = async (tile: Parameters<typeof tilePath>[0]): Promise<Buffer> => {
  const bytes = files.get(tilePath(tile));
  if (!bytes) throw new Error(`no ${tilePath(tile)}`);
  return bytes;
};

/** Every small size, and those around a whole tile. */
const SIZES = [...Array.from({ length: 70 }, (_, at) => at + 1), 127, 255, 256, 257, SIZE_MAX];

/** As from tiles, but each worked out once. */
const known = new Map<string, Promise<Uint8Array>>();
const remembered =
  (size: number): SubtreeHash =>
  (level, index) => {
    const key = `${level}/${index}`;
    const hash = known.get(key) ?? subtreeHashes(size, read)(level, index);
    known.set(key, hash);
    return hash;
  };

const sizes = fc.integer({ min: 1, max: SIZE_MAX });

describe('a tree', () => {
  it('has at every size the root that the definition gives, also when opened there', async () => {
    for (let size = 0; size <= SIZE_MAX; size += 1) {
      const opened = await openTileTree(size, read);
      expect(opened.root()).toEqual(ROOTS[size]);
      if (size === SIZE_MAX) continue;
      opened.append(LEAVES[size]!);
      expect(opened.root()).toEqual(ROOTS[size + 1]);
    }
  });

  it('gives off level by level what a far larger one needs', () => {
    const tree = createTileTree();
    const paths = new Map<string, Buffer>();
    const hashes = Array.from({ length: 70_000 }, (_, at) => leafHash(Buffer.from(String(at))));
    for (const hash of hashes) tree.append(hash);
    for (const tile of tree.takeTiles()) paths.set(tilePath(tile), tile.bytes);
    expect(paths.size).toBe(273 + 1 + 1 + 1 + 1);
    for (const path of ['tile/0/272', 'tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17', 'tile/2/000.p/1'])
      expect([...paths.keys()]).toContain(path);
    expect(paths.get('tile/2/000.p/1')).toEqual(rootOf(hashes.slice(0, 65_536)));
    expect(tree.root()).toEqual(rootOf(hashes));
    expect(tree.takeTiles()).toEqual([]);
  });
});

describe('an inclusion proof', () => {
  it('holds for every leaf of every tree, and of no other place', async () => {
    for (const size of SIZES)
      for (let index = 0; index < size; index += 1) {
        const proof = await inclusionProof(index, size, remembered(size));
        const claim = { index, size, leaf: LEAVES[index]!, proof, root: ROOTS[size]! };
        if (!verifyInclusion(claim)) expect(claim).toBe('proven');
        if (index > 0 && verifyInclusion({ ...claim, index: index - 1 })) expect(claim).toBe('refused');
      }
  });

  it('does not hold with any byte altered', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (size, leaf, at, by) => {
          const index = leaf % size;
          const proof = await inclusionProof(index, size, subtreeHashes(size, read));
          const parts = [LEAVES[index]!, ROOTS[size]!, ...proof].map((hash) => Buffer.from(hash));
          const altered = parts[at % parts.length]!;
          altered[at % altered.length]! ^= by;
          const [changedLeaf, root, ...rest] = parts;
          return !verifyInclusion({ index, size, leaf: changedLeaf!, proof: rest, root: root! });
        },
      ),
    );
  });

  it('is of leaves of the tree alone', () => {
    expect(() => inclusionProof(3, 3, subtreeHashes(3, read))).toThrow(RangeError);
  });
});

describe('a consistency proof', () => {
  it('holds for every pair of sizes', async () => {
    for (const to of SIZES)
      for (let from = 1; from <= to; from += 1) {
        const proof = await consistencyProof(from, to, remembered(to));
        const claim = { from, to, fromRoot: ROOTS[from]!, toRoot: ROOTS[to]!, proof };
        if (!verifyConsistency(claim)) expect(claim).toBe('proven');
      }
  });

  it('does not hold with any byte altered, nor between other sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        sizes,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (one, other, at, by) => {
          const [from, to] = [Math.min(one, other), Math.max(one, other)];
          const proof = await consistencyProof(from, to, subtreeHashes(to, read));
          const parts = [ROOTS[from]!, ROOTS[to]!, ...proof].map((hash) => Buffer.from(hash));
          const altered = parts[at % parts.length]!;
          altered[at % altered.length]! ^= by;
          const [fromRoot, toRoot, ...rest] = parts;
          const claim = { from, to, fromRoot: ROOTS[from]!, toRoot: ROOTS[to]!, proof };
          return (
            verifyConsistency(claim) &&
            !verifyConsistency({ ...claim, fromRoot: fromRoot!, toRoot: toRoot!, proof: rest }) &&
            (from === to || !verifyConsistency({ ...claim, from: from + 1 }) || from + 1 === to)
          );
        },
      ),
    );
  });

  it('is from the smaller to the larger tree', () => {
    expect(() => consistencyProof(4, 3, subtreeHashes(3, read))).toThrow(RangeError);
  });
});
