// Signed notes: a text, a blank line, and a signature a line. Whoever reads one names the keys it trusts; signatures by
// others are passed over, one by a trusted key that does not hold spoils the note.
// Source: C2SP signed-note, Ed25519 keys (type 0x01) alone.

import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

const ED25519 = 1;
const PUBLIC_KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const NOTE_BYTES_MAX = 1_000_000;
const SIGNATURES_MAX = 100;
/** What stands before the 32 bytes of an Ed25519 key in its SPKI form (RFC 8410 § 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export class NoteError extends Error {
  override name = 'NoteError';
}

export interface NoteVerifier {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly keyId: string;
  verify(text: string, signature: Uint8Array): boolean;
  /** The same key under another name: each log signs under its own. */
  named(name: string): NoteVerifier;
}

export interface NoteSigner {
  readonly name: string;
  readonly keyId: string;
  /** The public half, as verifiers take it. */
  readonly verifierKey: string;
  sign(text: string): Buffer;
}

/** Throws NoteError for a name no key may have or a key that is not Ed25519. */
export function noteSigner(name: string, privateKey: KeyObject): NoteSigner {
  const publicKey = rawPublicKey(privateKey);
  const keyId = keyIdOf(name, publicKey);
  const typed = Buffer.concat([Buffer.of(ED25519), publicKey]).toString('base64');
  return {
    name: checkedName(name),
    keyId,
    verifierKey: `${name}+${keyId}+${typed}`,
    sign: (text) => sign(null, Buffer.from(text), privateKey),
  };
}

/** Of `<name>+<key id>+<base64 of type and key>`. Throws NoteError with what is wrong with it. */
export function noteVerifier(verifierKey: string): NoteVerifier {
  const [name = '', keyId, encoded = ''] = splitKey(verifierKey);
  const key = base64(encoded);
  if (key?.length !== 1 + PUBLIC_KEY_BYTES || key[0] !== ED25519)
    throw new NoteError('The verifier key is not an Ed25519 key (type 1, 32 bytes).');
  const raw = key.subarray(1);
  if (keyIdOf(checkedName(name), raw) !== keyId)
    throw new NoteError("The verifier key's id is not the hash of its name and key: it was altered or cut.");
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  const named = (other: string): NoteVerifier => ({
    name: other,
    keyId: keyIdOf(other, raw),
    verify: (text, signature) => verify(null, Buffer.from(text), publicKey, signature),
    named,
  });
  return named(name);
}

/** Base64 may hold a plus: only the first two divide. */
function splitKey(verifierKey: string): string[] {
  const [, ...parts] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifierKey.trim()) ?? [];
  if (parts.length === 0) throw new NoteError('A verifier key reads <name>+<key id>+<base64>.');
  return parts;
}

/** `text` ends in a newline. Throws NoteError for a text no note may hold. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || hasControls(text))
    throw new NoteError("A note's text ends in a newline and holds no other control character.");
  const lines = signers.map((signer) => {
    const signature = Buffer.concat([Buffer.from(signer.keyId, 'hex'), signer.sign(text)]);
    return `— ${signer.name} ${signature.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

export interface OpenedNote {
  readonly text: string;
  /** Whose signatures hold: at least one. */
  readonly signers: readonly NoteVerifier[];
}

/** Throws NoteError unless a trusted key signed it and every signature of a trusted key holds. */
export function openNote(note: string, trusted: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = readNote(note);
  const signers = trusted.filter((verifier) => {
    const own = signatures.filter(({ name, keyId }) => name === verifier.name && keyId === verifier.keyId);
    if (own.some(({ signature }) => !verifier.verify(text, signature)))
      throw new NoteError(`The signature of ${verifier.name} (${verifier.keyId}) does not hold.`);
    return own.length > 0;
  });
  if (signers.length === 0)
    throw new NoteError(
      `No trusted key signed it; signed by ${signatures.map(({ name, keyId }) => `${name} (${keyId})`).join(', ')}.`,
    );
  return { text, signers };
}

interface Signature {
  readonly name: string;
  readonly keyId: string;
  readonly signature: Buffer;
}

function readNote(note: string): { readonly text: string; readonly signatures: readonly Signature[] } {
  if (note.length > NOTE_BYTES_MAX) throw new NoteError('The note is too long.');
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n') || hasControls(note) || note.includes('\ufffd'))
    throw new NoteError('It is not a signed note: text, a blank line, and signatures, in UTF-8.');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) throw new NoteError('The note has too many signatures.');
  return { text: note.slice(0, end + 1), signatures: lines.map(readSignature) };
}

function readSignature(line: string): Signature {
  const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
  const bytes = base64(encoded);
  if (!isName(name) || bytes === null || bytes.length <= KEY_ID_BYTES)
    throw new NoteError('A signature line of the note reads otherwise than `— <name> <base64>`.');
  return {
    name,
    keyId: bytes.toString('hex', 0, KEY_ID_BYTES),
    signature: bytes.subarray(KEY_ID_BYTES),
  };
}

function keyIdOf(name: string, publicKey: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey]);
  return hash('sha256', bytes, 'hex').slice(0, 2 * KEY_ID_BYTES);
}

function rawPublicKey(key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ed25519') throw new NoteError('The signing key is not an Ed25519 key.');
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

const isName = (name: string): boolean => name !== '' && !/[\p{White_Space}+]/u.test(name);

function checkedName(name: string): string {
  if (!isName(name) || hasControls(name)) throw new NoteError("A key's name holds no space and no plus.");
  return name;
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

/** Null for anything but the one way to write those bytes. */
function base64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
