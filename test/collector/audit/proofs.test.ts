import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { consistencyOf, proofOf } from '../../../collector/audit/proofs.ts';
import type { AcceptedRequest } from '../../../collector/queue/sequencer.ts';
import { encodeLeaf } from '../../../contract/audit/leaf.ts';
import { noteVerifier } from '../../../kit/tlog/note.ts';
import { verifyConsistency } from '../../../kit/tlog/proof.ts';
import { readProof, verifyProof } from '../../../kit/tlog/proof-text.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { forgetfulDisk } from '../queue/forgetful-disk.ts';
import { leavesOnDisk, openLogAndFiles } from './kept-log.ts';

const SEGMENT = '000000000001-00000001';
const START = Date.UTC(2026, 0, 5);
const digestOf = (number: number): Buffer => hash('sha256', `request ${number}`, 'buffer');
const request = (number: number): AcceptedRequest => ({
  digest: digestOf(number),
  receivedAtMs: START + number * 60_000,
  sender: 's',
  items: 1,
  chains: [],
});

async function logOf(count: number) {
  const clock = manualClock();
  const memory = forgetfulDisk(() => clock.nowMs());
  const opened = await openLogAndFiles({ disk: memory.live(() => null).disk, clock });
  const { log } = opened;
  const first = log.checkpoint();
  log.begun(SEGMENT);
  for (let number = 0; number < count; number += 1) log.accepted(SEGMENT, [request(number)]);
  await log.flush();
  return { ...opened, memory, first, last: log.checkpoint() };
}

describe('proofs from the log', () => {
  it('shows that a request is in it, to whoever has the key and the leaf', async () => {
    const { files, last, memory, verifierKeys } = await logOf(700);
    const trusted = verifierKeys.map(noteVerifier);
    const { leaves } = leavesOnDisk(memory.files());
    for (const number of [0, 1, 254, 255, 256, 699]) {
      const text = await proofOf(files, last, digestOf(number), { atMs: null, minimumIndex: 0 });
      const { index } = readProof(text!);
      expect(leaves[index]!.digest).toEqual(digestOf(number));
      expect(verifyProof(text!, encodeLeaf(leaves[index]!), trusted)).toBe(false); // an entry is not its hash
      expect(verifyProof(text!, leafHashOf(encodeLeaf(leaves[index]!)), trusted)).toBe(true);
    }
  });

  it('finds one around its time, and none at another or of what never came', async () => {
    const { files, last } = await logOf(700);
    const at = START + 300 * 60_000;
    expect(readProof((await proofOf(files, last, digestOf(300), { atMs: at, minimumIndex: 0 }))!).index).toBe(
      301,
    );
    const ahead = START + 258 * 60_000; // by a sender's clock; the next bundle begins at minute 255
    expect(
      readProof((await proofOf(files, last, digestOf(250), { atMs: ahead, minimumIndex: 0 }))!).index,
    ).toBe(251);
    expect(
      await proofOf(files, last, digestOf(1), { atMs: START + 600 * 60_000, minimumIndex: 0 }),
    ).toBeNull();
    expect(await proofOf(files, last, digestOf(-1), { atMs: null, minimumIndex: 0 })).toBeNull();
  });

  it('shows it of a checkpoint that the log has grown beyond meanwhile', async () => {
    const { files, log, last, memory, first, verifierKeys } = await logOf(300);
    log.accepted(SEGMENT, [request(300)]);
    await log.flush(); // the partial files of before are gone
    const text = await proofOf(files, last, digestOf(299), { atMs: null, minimumIndex: 0 });
    const leaf = leavesOnDisk(memory.files()).leaves[readProof(text!).index]!;
    expect(leaf.digest).toEqual(digestOf(299));
    expect(verifyProof(text!, leafHashOf(encodeLeaf(leaf)), verifierKeys.map(noteVerifier))).toBe(true);
    expect(await proofOf(files, last, digestOf(300), { atMs: null, minimumIndex: 0 })).toBeNull();
    const proof = await consistencyOf(files, last.size, first.size, last.size);
    const roots = { fromRoot: first.root, toRoot: last.root };
    expect(verifyConsistency({ from: first.size, to: last.size, ...roots, proof })).toBe(true);
  });

  it('shows that it only grew', async () => {
    const { files, first, last } = await logOf(700);
    const proof = await consistencyOf(files, last.size, first.size, last.size);
    const roots = { fromRoot: first.root, toRoot: last.root };
    expect(verifyConsistency({ from: first.size, to: last.size, ...roots, proof })).toBe(true);
    await expect(async () => consistencyOf(files, last.size, 1, last.size + 1)).rejects.toThrow(RangeError);
  });
});

const leafHashOf = (entry: Buffer): Buffer => hash('sha256', Buffer.concat([Buffer.of(0), entry]), 'buffer');
