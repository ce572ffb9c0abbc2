// Notes, checkpoints and proofs as texts: the examples of the C2SP pages verify, ours do, and what was altered does not.

import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, readCheckpoint, signCheckpoint } from '../../../kit/tlog/checkpoint.ts';
import { leafHash, nodeHash } from '../../../kit/tlog/merkle.ts';
import { NoteError, noteSigner, noteVerifier, openNote, signNote } from '../../../kit/tlog/note.ts';
import { readProof, verifyProof, writeProof } from '../../../kit/tlog/proof-text.ts';
import { bundlePath, decodeBundle, encodeBundle, tilePath } from '../../../kit/tlog/tiles.ts';

const FOO_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const FOO_NOTE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
/** The text alone reads; its key is not published. */
const SOFA_CHECKPOINT = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
`;

const key = () => noteSigner('outrider/fleet/a1', generateKeyPairSync('ed25519').privateKey);
const ours = key();
const trusted = [noteVerifier(ours.verifierKey)];

describe('a note', () => {
  it('of the specification verifies', () => {
    expect(openNote(FOO_NOTE, [noteVerifier(FOO_KEY)]).text).toBe('This is an example message.\n');
  });

  it('does not with any character altered', () => {
    fc.assert(
      fc.property(fc.nat(FOO_NOTE.length - 1), fc.integer({ min: 1, max: 127 }), (at, by) => {
        const code = FOO_NOTE.charCodeAt(at) ^ by;
        const altered = FOO_NOTE.slice(0, at) + String.fromCharCode(code) + FOO_NOTE.slice(at + 1);
        expect(() => openNote(altered, [noteVerifier(FOO_KEY)])).toThrow(NoteError);
      }),
    );
  });

  it('holds by one trusted key among sixteen signatures of others', () => {
    const others = Array.from({ length: 15 }, key);
    const note = signNote('text\n\nmore\n', [...others, ours]);
    expect(openNote(note, trusted)).toMatchObject({ text: 'text\n\nmore\n', signers: [{ name: ours.name }] });
  });

  it('is spoilt by one trusted signature that does not hold, whatever else holds', () => {
    const other = key();
    const lines = signNote('one\n', [ours]) + signNote('two\n', [other]).split('\n\n')[1];
    expect(openNote(lines, trusted).text).toBe('one\n');
    expect(() => openNote(lines, [...trusted, noteVerifier(other.verifierKey)])).toThrow(/does not hold/);
  });

  it('that no trusted key signed says who did', () => {
    const other = key();
    expect(() => openNote(signNote('text\n', [other]), trusted)).toThrow(
      new NoteError(`No trusted key signed it; signed by ${other.name} (${other.keyId}).`),
    );
  });

  it.each([
    ['no newline at the end', 'text'],
    ['a control character', 'te\u0000xt\n'],
    ['a carriage return', 'text\r\n'],
  ])('is never made of a text with %s', (_, text) => {
    expect(() => signNote(text, [ours])).toThrow(NoteError);
  });

  it.each([
    ['a space in the name', 'a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'],
    ['another id', FOO_KEY.replace('530d903a', '530d903b')],
    ['another type', FOO_KEY.replace('+Aeky', '+Beky')],
    ['bytes missing', FOO_KEY.slice(0, -4)],
    ['no parts', 'example.com/foo'],
  ])('is not verified by a key with %s', (_, verifierKey) => {
    expect(() => noteVerifier(verifierKey)).toThrow(NoteError);
  });
});

describe('a checkpoint', () => {
  const root = leafHash(Buffer.from('only'));
  const checkpoint = { origin: ours.name, size: 1, root };

  it('of the specification reads', () => {
    expect(readCheckpoint(SOFA_CHECKPOINT)).toMatchObject({
      origin: 'example.com/behind-the-sofa',
      size: 20852163,
    });
  });

  it('signed is read again', () => {
    expect(openCheckpoint(signCheckpoint(checkpoint, [ours]), trusted)).toEqual({
      ...checkpoint,
      extensions: [],
    });
  });

  it('of another log is not ours, though our key signed it', () => {
    const note = signCheckpoint({ ...checkpoint, origin: 'outrider/fleet/b2' }, [ours]);
    expect(() => openCheckpoint(note, trusted)).toThrow(/is a checkpoint of outrider\/fleet\/b2/);
  });

  it.each([
    ['a leading zero', SOFA_CHECKPOINT.replace('208', '0208')],
    ['a negative size', SOFA_CHECKPOINT.replace('208', '-208')],
    ['a size no number holds', SOFA_CHECKPOINT.replace('208', '18446744073709551615')],
    ['a short root', SOFA_CHECKPOINT.replace('CsUY', '')],
    ['a root written otherwise', SOFA_CHECKPOINT.replace('q2I=', 'q2J=')],
    ['no origin', SOFA_CHECKPOINT.replace(/.*\n/, '\n')],
    ['an empty extension', `${SOFA_CHECKPOINT}\nmore\n`],
    ['no last newline', SOFA_CHECKPOINT.trimEnd()],
  ])('with %s is none', (_, text) => {
    expect(() => readCheckpoint(text)).toThrow(NoteError);
  });
});

describe('a proof as text', () => {
  const leaves = ['a', 'b'].map((text) => leafHash(Buffer.from(text)));
  const root = nodeHash(leaves[0]!, leaves[1]!);
  const checkpoint = signCheckpoint({ origin: ours.name, size: 2, root }, [ours]);
  const text = writeProof({ index: 1, hashes: [leaves[0]!], checkpoint });

  it('reads as the specification writes it', () => {
    expect(text).toBe(`c2sp.org/tlog-proof@v1\nindex 1\n${leaves[0]!.toString('base64')}\n\n${checkpoint}`);
    const extra = Buffer.from('more');
    const alone = { index: 0, hashes: [], checkpoint, extra };
    expect(readProof(writeProof(alone))).toEqual(alone);
  });

  it('proves its leaf and no other', () => {
    expect(verifyProof(text, leaves[1]!, trusted)).toBe(true);
    expect(verifyProof(text, leaves[0]!, trusted)).toBe(false);
    expect(() => verifyProof(text, leaves[1]!, [noteVerifier(key().verifierKey)])).toThrow(NoteError);
  });

  it.each([
    ['another first line', text.replace('@v1', '@v2')],
    ['no index', text.replace('index 1\n', '')],
    ['an index with a leading zero', text.replace('index 1', 'index 01')],
    ['a short hash', text.replace(leaves[0]!.toString('base64'), 'AAAA')],
    ['no blank line', text.replace('\n\n', '\n')],
  ])('with %s is none', (_, altered) => {
    expect(() => readProof(altered)).toThrow(Error);
  });
});

describe('a tile', () => {
  it.each([
    [{ level: 0, index: 1234067, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 3, index: 0, width: 1 }, 'tile/3/000.p/1'],
    [{ level: 1, index: 999, width: 255 }, 'tile/1/999.p/255'],
    [{ level: 1, index: 1000, width: 256 }, 'tile/1/x001/000'],
  ])('lies where the specification says', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
  });

  it('has its entries in a bundle beside it, whatever bytes they are', () => {
    expect(bundlePath({ index: 7, width: 3 })).toBe('tile/entries/007.p/3');
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), (entries) => {
        expect(decodeBundle(encodeBundle(entries)).map((entry) => [...entry])).toEqual(
          entries.map((e) => [...e]),
        );
      }),
    );
    expect(() => encodeBundle([Buffer.alloc(65_536)])).toThrow(RangeError);
    expect(() => decodeBundle(Buffer.of(0, 2, 1))).toThrow(/cut off in its entry 0/);
    expect(() => decodeBundle(Buffer.of(0))).toThrow(/cut off/);
  });
});
