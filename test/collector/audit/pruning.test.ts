// A log that lets go of what had its time: which files go, that it is said before, and that all that is left is proven as
// before, also by a collector that dies in between.

import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { consistencyOf, proofOf } from '../../../collector/audit/proofs.ts';
import { endingWithin, openPruning } from '../../../collector/audit/pruning.ts';
import { decodeLeaf, encodeLeaf } from '../../../contract/audit/leaf.ts';
import { leafHash } from '../../../kit/tlog/merkle.ts';
import { noteVerifier } from '../../../kit/tlog/note.ts';
import { verifyConsistency } from '../../../kit/tlog/proof.ts';
import { readProof, verifyProof } from '../../../kit/tlog/proof-text.ts';
import { decodeBundle } from '../../../kit/tlog/tiles.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { forgetfulDisk } from '../queue/forgetful-disk.ts';
import { AUDIT, openLogAndFiles } from './kept-log.ts';

const SEGMENT = '000000000001-00000001';
const START = Date.UTC(2026, 0, 5);
const STEP_MS = 60_000;
const digestOf = (number: number): Buffer => hash('sha256', `request ${number}`, 'buffer');

async function logOf(count: number) {
  const clock = manualClock(START);
  const memory = forgetfulDisk(() => clock.nowMs());
  const open = () => openLogAndFiles({ disk: memory.live(() => null).disk, clock });
  const opened = await open();
  opened.log.begun(SEGMENT);
  const requests = Array.from({ length: count }, (_, number) => ({
    ...{ digest: digestOf(number), receivedAtMs: START + number * STEP_MS },
    ...{ sender: 's', items: 1, chains: [] },
  }));
  opened.log.accepted(SEGMENT, requests.slice(0, 600));
  await opened.log.flush();
  const older = opened.log.checkpoint();
  opened.log.accepted(SEGMENT, requests.slice(600));
  await opened.log.flush();
  const noted: number[] = [];
  /** Of the log, when it was noted. */
  const sizes: number[] = [];
  const pruning = (more: { files?: typeof opened.files } = {}) =>
    openPruning({
      files: opened.files,
      audit: opened.log,
      note: async (minimumIndex) => {
        noted.push(minimumIndex);
        sizes.push(opened.log.checkpoint().size);
      },
      ...more,
    });
  const names = () =>
    [...memory.files().keys()]
      .map((path) => path.replace(`${AUDIT}/`, '').replace(/^[0-9a-f]{16}\//, ''))
      .filter((path) => path.startsWith('tile/'))
      .sort();
  return { ...opened, open, memory, older, pruning, noted, sizes, names };
}

describe('pruning', () => {
  it('drops whole bundles and tiles that ended before the time, and says so in the log first', async () => {
    const { pruning, log, files, noted, sizes, names } = await logOf(800);
    const before = names();
    const pruned = await pruning();
    await pruned.prune(START + 700 * STEP_MS);
    expect(pruned.minimumIndex()).toBe(512);
    expect([noted, sizes]).toEqual([[512], [802]]); // the leaf that says so stands in it already
    expect(before.filter((name) => !names().includes(name))).toEqual(
      expect.arrayContaining(['tile/0/000', 'tile/0/001', 'tile/entries/000', 'tile/entries/001']),
    );
    expect(names().filter((name) => !name.includes('.p/'))).toEqual(['tile/0/002', 'tile/entries/002']);
    const last = decodeBundle(await files.read('tile/entries/003.p/34')).at(-1)!;
    expect(decodeLeaf(last)).toMatchObject({ kind: 'pruned', items: 512 });
    expect(log.checkpoint().size).toBe(802);
    await log.close();
  });

  it('drops nothing that came later, and nothing twice', async () => {
    const { pruning, log, noted } = await logOf(800);
    const pruned = await pruning();
    await pruned.prune(START);
    expect([pruned.minimumIndex(), noted]).toEqual([0, []]);
    await pruned.prune(START + 300 * STEP_MS);
    await pruned.prune(START + 301 * STEP_MS);
    expect([pruned.minimumIndex(), noted]).toEqual([256, [256]]);
    await log.close();
  });

  it('leaves every proof of what is kept as it was', async () => {
    const { pruning, log, files, older, verifierKeys } = await logOf(800);
    const pruned = await pruning();
    await pruned.prune(START + 700 * STEP_MS);
    const minimumIndex = pruned.minimumIndex();
    const newest = log.checkpoint();
    const trusted = verifierKeys.map(noteVerifier);
    for (const number of [511, 512, 600, 767, 799]) {
      const text = (await proofOf(files, newest, digestOf(number), { atMs: null, minimumIndex }))!;
      const { index } = readProof(text);
      const leaf = encodeLeaf({
        ...{ kind: 'request', receivedMs: START + number * STEP_MS, signal: 'traces', sender: 's' },
        ...{ segment: SEGMENT, items: 1, digest: digestOf(number), chains: [] },
      });
      expect(index).toBe(number + 1);
      expect(verifyProof(text, leafHash(leaf), trusted)).toBe(true);
    }
    expect(await proofOf(files, newest, digestOf(510), { atMs: null, minimumIndex })).toBeNull();
    const proof = await consistencyOf(files, newest.size, older.size, newest.size);
    const roots = { fromRoot: older.root, toRoot: newest.root };
    expect(verifyConsistency({ from: older.size, to: newest.size, ...roots, proof })).toBe(true);
    await log.close();
  });

  it('goes on where a collector died, and the log goes on too', async () => {
    const { pruning, log, files, open, names, noted } = await logOf(800);
    const dies = { ...files, remove: () => Promise.reject(new Error('killed')) };
    await expect((await pruning({ files: dies })).prune(START + 700 * STEP_MS)).rejects.toThrow('killed');
    expect(names()).toContain('tile/entries/000');
    const next = await open();
    expect(next.log.checkpoint().origin).toBe(log.checkpoint().origin);
    const again = await openPruning({ files: next.files, audit: next.log, note: async () => undefined });
    expect(again.minimumIndex()).toBe(512);
    await again.prune(START);
    expect(names().filter((name) => !name.includes('.p/'))).toEqual(['tile/0/002', 'tile/entries/002']);
    expect(noted).toEqual([512]);
    await next.log.close();
    const third = await open();
    expect(third.log.checkpoint().origin).toBe(log.checkpoint().origin);
    await third.log.close();
  });
});

describe('what ends at or below a minimum index', () => {
  it('is a tile of a level once all below it ended', () => {
    expect([...endingWithin(0, 512)]).toEqual([
      'tile/entries/000',
      'tile/entries/001',
      'tile/0/000',
      'tile/0/001',
    ]);
    const all = [...endingWithin(65_536 - 256, 65_536 + 256)];
    expect(all).toEqual(['tile/entries/255', 'tile/entries/256', 'tile/0/255', 'tile/0/256', 'tile/1/000']);
    expect([...endingWithin(65_536 - 256, 65_536)]).toEqual(['tile/entries/255', 'tile/0/255', 'tile/1/000']);
    expect([...endingWithin(512, 512)]).toEqual([]);
  });
});
