// What others published of these formats: the roots of RFC 6962's test tree, and the proofs of transparency-dev/merkle
// (testdata/inclusion and testdata/consistency at 417fb0c3, Apache-2.0), one a line, the hostile ones with them.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { leafHash, rootOf } from '../../../kit/tlog/merkle.ts';
import { verifyConsistency, verifyInclusion } from '../../../kit/tlog/proof.ts';
import { createTileTree } from '../../../kit/tlog/tile-tree.ts';

const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => leafHash(Buffer.from(hex, 'hex')));

const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the tree of RFC 6962', () => {
  it.each(ROOTS.map((root, size) => ({ size, root })))('has its root with $size leaves', ({ size, root }) => {
    const grown = createTileTree();
    for (const leaf of LEAVES.slice(0, size)) grown.append(leaf);
    expect(Buffer.from(rootOf(LEAVES.slice(0, size))).toString('hex')).toBe(root);
    expect(Buffer.from(grown.root()).toString('hex')).toBe(root);
  });
});

interface PublishedProof {
  readonly desc: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

interface PublishedInclusion extends PublishedProof {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly leafHash: string;
  readonly root: string;
}

interface PublishedConsistency extends PublishedProof {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

const published = <T>(name: string): readonly T[] =>
  readFileSync(new URL(`../../cases/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');

describe('the proofs of transparency-dev/merkle', () => {
  it.each(published<PublishedInclusion>('tlog-inclusion'))(
    'inclusion of $leafIdx in $treeSize: $desc',
    (each) => {
      const holds = verifyInclusion({
        index: each.leafIdx,
        size: each.treeSize,
        leaf: bytes(each.leafHash),
        proof: (each.proof ?? []).map(bytes),
        root: bytes(each.root),
      });
      expect(holds).toBe(!each.wantErr);
    },
  );

  it.each(published<PublishedConsistency>('tlog-consistency'))(
    'consistency of $size1 in $size2: $desc',
    (each) => {
      const holds = verifyConsistency({
        from: each.size1,
        to: each.size2,
        fromRoot: bytes(each.root1),
        toRoot: bytes(each.root2),
        proof: (each.proof ?? []).map(bytes),
      });
      expect(holds).toBe(!each.wantErr);
    },
  );
});
