// A checkpoint: which log, how many leaves, which root; signed as a note. Two of one log that no consistency proof joins
// are proof that whoever holds its key told two stories.
// Source: C2SP tlog-checkpoint. We sign no extension lines; in those of others they are read and kept.

import { HASH_BYTES, isSize } from './merkle.ts';
import { NoteError, type NoteSigner, type NoteVerifier, openNote, signNote } from './note.ts';

export interface Checkpoint {
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  readonly root: Uint8Array;
  readonly extensions: readonly string[];
}

function checkpointText({ origin, size, root }: Omit<Checkpoint, 'extensions'>): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

export function signCheckpoint(
  checkpoint: Omit<Checkpoint, 'extensions'>,
  signers: readonly NoteSigner[],
): string {
  return signNote(checkpointText(checkpoint), signers);
}

/** Throws NoteError unless one of the log's own keys, named as its origin, signed it and it reads as a checkpoint. */
export function openCheckpoint(note: string, trusted: readonly NoteVerifier[]): Checkpoint {
  const { text, signers } = openNote(note, trusted);
  const checkpoint = readCheckpoint(text);
  if (!signers.some(({ name }) => name === checkpoint.origin))
    throw new NoteError(
      `It is a checkpoint of ${checkpoint.origin}, and the key given is of ${signers[0]!.name}.`,
    );
  return checkpoint;
}

/** Of a note's text. Throws NoteError. */
export function readCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...extensions] = text.replace(/\n$/, '').split('\n');
  const bytes = Buffer.from(root, 'base64');
  const isWhole =
    text.endsWith('\n') &&
    origin !== '' &&
    /^(0|[1-9]\d*)$/.test(size) &&
    isSize(Number(size)) &&
    bytes.length === HASH_BYTES &&
    bytes.toString('base64') === root &&
    !extensions.includes('');
  if (!isWhole)
    throw new NoteError('It is not a checkpoint: origin, number of leaves and root, a line each.');
  return { origin, size: Number(size), root: bytes, extensions };
}
