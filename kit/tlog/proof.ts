// Proofs that a leaf is in a tree (inclusion) and that a tree begins with an older one (consistency): a few hashes each.
// Building asks for the roots of whole subtrees, which whoever keeps tiles has at hand; verifying asks for nothing.
// Source: building RFC 6962 §§ 2.1.1, 2.1.2; verifying RFC 9162 §§ 2.1.3.2, 2.1.4.2.

import { HASH_BYTES, isSize, nodeHash, sameHash, splitOf } from './merkle.ts';

/** The root over leaves [index · 2^level, (index + 1) · 2^level), all of which are in the tree. */
export type SubtreeHash = (level: number, index: number) => Promise<Uint8Array>;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Leaf's sibling first. Throws RangeError for a leaf that is not in the tree. */
export function inclusionProof(index: number, size: number, at: SubtreeHash): Promise<Uint8Array[]> {
  if (!isSize(index) || !isSize(size) || index >= size)
    throw new RangeError(`A tree of ${size} leaves holds none at ${index}.`);
  return hashesOf(pathOf(index, { from: 0, to: size }), at);
}

/** Empty for trees of one size, and from the empty tree. Throws RangeError where `from` is the larger one. */
export function consistencyProof(from: number, to: number, at: SubtreeHash): Promise<Uint8Array[]> {
  if (!isSize(from) || !isSize(to) || from > to)
    throw new RangeError(`A tree of ${to} leaves does not begin with one of ${from}.`);
  return hashesOf(from === 0 ? [] : commonOf(from, { from: 0, to }, true), at);
}

function pathOf(index: number, { from, to }: Range): Range[] {
  if (to - from === 1) return [];
  const middle = from + splitOf(to - from);
  const [left, right] = [
    { from, to: middle },
    { from: middle, to },
  ];
  return index < middle ? [...pathOf(index, left), right] : [...pathOf(index, right), left];
}

/** `end`: where the older tree ends. `isWhole`: the verifier holds this range's hash, it is the older root itself. */
function commonOf(end: number, { from, to }: Range, isWhole: boolean): Range[] {
  if (end === to) return isWhole ? [] : [{ from, to }];
  const middle = from + splitOf(to - from);
  const [left, right] = [
    { from, to: middle },
    { from: middle, to },
  ];
  return end <= middle ? [...commonOf(end, left, isWhole), right] : [...commonOf(end, right, false), left];
}

function hashesOf(ranges: readonly Range[], at: SubtreeHash): Promise<Uint8Array[]> {
  return Promise.all(ranges.map((range) => hashOf(range, at)));
}

/** The root over a range that a tree is split into: whole but for the last one. */
async function hashOf({ from, to }: Range, at: SubtreeHash): Promise<Uint8Array> {
  const level = Math.log2(to - from);
  if (Number.isInteger(level)) return at(level, from / (to - from));
  const middle = from + splitOf(to - from);
  const [left, right] = await Promise.all([
    hashOf({ from, to: middle }, at),
    hashOf({ from: middle, to }, at),
  ]);
  return nodeHash(left, right);
}

export interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

export function verifyInclusion({ index, size, leaf, proof, root }: Inclusion): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  const walk = { first: index, last: size - 1 };
  let top = leaf;
  for (const sibling of proof) {
    if (walk.last === 0) return false;
    top = isRight(walk) ? nodeHash(sibling, top) : nodeHash(top, sibling);
    rise(walk);
  }
  return walk.last === 0 && sameHash(top, root);
}

export interface Consistency {
  readonly from: number;
  readonly to: number;
  readonly fromRoot: Uint8Array;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** From the empty tree it proves nothing, and is false. */
export function verifyConsistency({ from, to, fromRoot, toRoot, proof }: Consistency): boolean {
  if (!isSize(from) || !isSize(to) || from > to || from === 0) return false;
  if (from === to) return proof.length === 0 && sameHash(fromRoot, toRoot);
  if (proof.length === 0 || !areHashes([fromRoot, toRoot, ...proof])) return false;
  const walk = { first: from - 1, last: to - 1 };
  while (walk.first % 2 === 1) halve(walk);
  const [start, ...rest] = Number.isInteger(Math.log2(from)) ? [fromRoot, ...proof] : proof;
  let [older, newer] = [start!, start!];
  for (const hash of rest) {
    if (walk.last === 0) return false;
    if (isRight(walk)) {
      older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
    } else newer = nodeHash(newer, hash);
    rise(walk);
  }
  return walk.last === 0 && sameHash(older, fromRoot) && sameHash(newer, toRoot);
}

/** Where a verifier is, one level up at a time: the node it holds, and the last node of that level. */
interface Walk {
  first: number;
  last: number;
}

const isRight = ({ first, last }: Walk): boolean => first % 2 === 1 || first === last;

/** Up to the next level; from the right edge, past those levels where the node has no sibling. */
function rise(walk: Walk): void {
  if (isRight(walk)) while (walk.first % 2 === 0 && walk.first !== 0) halve(walk);
  halve(walk);
}

function halve(walk: Walk): void {
  walk.first = Math.floor(walk.first / 2);
  walk.last = Math.floor(walk.last / 2);
}

const areHashes = (hashes: readonly Uint8Array[]): boolean =>
  hashes.every(({ length }) => length === HASH_BYTES);
