// A proof as a text that stands alone: where the leaf is, the hashes up to the root, and the checkpoint that signs it.
// Source: C2SP tlog-proof. What the leaf holds comes from elsewhere; `extra` is not authenticated.

import { openCheckpoint } from './checkpoint.ts';
import { HASH_BYTES, isSize } from './merkle.ts';
import type { NoteVerifier } from './note.ts';
import { verifyInclusion } from './proof.ts';

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';

export interface ProofText {
  readonly index: number;
  /** Leaf's sibling first. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note, as it is. */
  readonly checkpoint: string;
  readonly extra?: Uint8Array;
}

export function writeProof({ index, hashes, checkpoint, extra }: ProofText): string {
  const lines = hashes.map((hash) => Buffer.from(hash).toString('base64'));
  const more = extra ? [`extra ${Buffer.from(extra).toString('base64')}`] : [];
  return `${[FIRST_LINE, ...more, `index ${index}`, ...lines, ''].join('\n')}\n${checkpoint}`;
}

/** Throws Error with what is wrong with the text. */
export function readProof(text: string): ProofText {
  const end = text.indexOf('\n\n');
  const [first, ...lines] = text.slice(0, Math.max(0, end)).split('\n');
  if (first !== FIRST_LINE) throw new Error(`It is not a proof: its first line is not ${FIRST_LINE}.`);
  const extra = lines[0]?.startsWith('extra ') ? base64Of(lines.shift()!.slice('extra '.length)) : undefined;
  const [, digits] = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '') ?? [];
  const index = Number(digits);
  if (!isSize(index)) throw new Error('The proof does not say which leaf it is of.');
  const hashes = lines.map(base64Of);
  if (hashes.some(({ length }) => length !== HASH_BYTES))
    throw new Error('A line of the proof is not a SHA-256 hash.');
  return { index, hashes, checkpoint: text.slice(end + 2), ...(extra ? { extra } : {}) };
}

/** Whether the leaf is where the proof says, under a checkpoint that a trusted key signed. Throws what reading throws. */
export function verifyProof(text: string, leaf: Uint8Array, trusted: readonly NoteVerifier[]): boolean {
  const { index, hashes, checkpoint } = readProof(text);
  const { size, root } = openCheckpoint(checkpoint, trusted);
  return verifyInclusion({ index, size, leaf, proof: hashes, root });
}

function base64Of(line: string): Buffer {
  const bytes = Buffer.from(line, 'base64');
  if (bytes.toString('base64') !== line) throw new Error('A line of the proof is not base64.');
  return bytes;
}
