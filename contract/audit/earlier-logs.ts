// Logs that ended before this one began: a collector that was restored, or whose log was set back, begins another. The first
// leaf of each names the last checkpoint of the one before by its digest, so one signature holds them all. One that had its
// time is dropped whole, and a leaf of a later log says so by that digest.
//
//   signed checkpoint ─▶ tree ─▶ first leaf ── SHA-256 of ──▶ checkpoint before ─▶ tree ─▶ first leaf ─▶ …

import { hash } from 'node:crypto';
import { sentenceOf } from '../../kit/log.ts';
import { type Checkpoint, readCheckpoint } from '../../kit/tlog/checkpoint.ts';
import { sameHash } from '../../kit/tlog/merkle.ts';
import { TILE_WIDTH } from '../../kit/tlog/tiles.ts';
import { EXPORT_FILES, type ExportedFiles, type ExportManifest, filesBelow } from './export.ts';
import { readBundle } from './exported-tree.ts';
import type { Report } from './finding.ts';
import { GoneInTime } from './gone-in-time.ts';
import { decodeLeaf, NO_DIGEST } from './leaf.ts';
import { leavesOf, type VerifiedLog } from './logged-leaves.ts';
import { type OlderCheckpoint, verifyTree } from './verify-tree.ts';

export interface EarlierInput {
  readonly files: ExportedFiles;
  /** Of each log that ended, what the manifest says; none in an export of before it did. */
  readonly told: ExportManifest['logs'];
  /** Those told outside of a log that ended, the smallest first; none larger than it. */
  older(ended: Checkpoint, minimumIndex: number): readonly OlderCheckpoint[];
  readonly report: Report;
}

export interface EarlierLogs {
  /** The oldest first. */
  readonly logs: readonly VerifiedLog[];
  /** The one before them was dropped when it had had its time. */
  readonly isCut: boolean;
}

/** Those before `newest`; null, and reported, where one is not as it was. */
export async function earlierLogs(input: EarlierInput, newest: VerifiedLog): Promise<EarlierLogs | null> {
  const logs: VerifiedLog[] = [];
  for (let follows = await followedBy(newest); follows !== null; follows = await followedBy(logs[0]!)) {
    const found = await endedWith(input, follows);
    if (found === null) {
      const isCut = await wasDropped(follows, [...logs, newest], input.report);
      return isCut ? { logs, isCut } : null;
    }
    const log = await asItWas(input, found);
    if (log === null) return null;
    logs.unshift(log);
  }
  return { logs, isCut: false };
}

/** The digest of the checkpoint that a log follows; null for the first one, and where its first leaf is no longer kept. */
async function followedBy({ files, size, minimumIndex }: VerifiedLog): Promise<Uint8Array | null> {
  if (minimumIndex > 0 || size === 0) return null;
  const [first] = (await readBundle(files, { index: 0, width: Math.min(TILE_WIDTH, size) })) ?? [];
  if (!first) return null;
  const { kind, digest } = decodeLeaf(first);
  return kind === 'start' && !sameHash(digest, NO_DIGEST) ? digest : null;
}

interface Found {
  readonly name: string;
  readonly note: Buffer;
}

async function endedWith({ files }: EarlierInput, digest: Uint8Array): Promise<Found | null> {
  for (const name of await files.list(EXPORT_FILES.logs)) {
    const note = await files
      .read(`${EXPORT_FILES.logs}/${name}/${EXPORT_FILES.checkpoint}`)
      .catch(() => null);
    if (note && sameHash(hash('sha256', note, 'buffer'), digest)) return { name, note };
  }
  return null;
}

/** Whether the log that ended with that checkpoint went in its time, as a later one says; else it is reported missing. */
async function wasDropped(
  digest: Uint8Array,
  later: readonly VerifiedLog[],
  report: Report,
): Promise<boolean> {
  const gone = new GoneInTime((leaf) => sameHash(leaf.digest, digest));
  for await (const leaf of leavesOf(later)) gone.pass(leaf);
  const wrong = gone.whyNot();
  if (wrong === null) return true;
  const hex = Buffer.from(digest).toString('hex');
  const what = `the log before this one, which ended with the checkpoint of SHA-256 ${hex}, is missing, and ${wrong}.`;
  report({ kind: 'deleted', in: 'checkpoint', what });
  return false;
}

async function asItWas(input: EarlierInput, { name, note }: Found): Promise<VerifiedLog | null> {
  const { told, older, report } = input;
  const folder = `${EXPORT_FILES.logs}/${name}`;
  const files = filesBelow(input.files, folder);
  const checkpoint = checkpointIn(note.toString());
  if (typeof checkpoint === 'string') {
    report({ kind: 'altered', in: 'checkpoint', file: `${folder}/checkpoint`, what: checkpoint });
    return null;
  }
  const minimumIndex = told?.find((log) => log.name === name)?.minimum_index ?? 0;
  const isTree = await verifyTree({
    ...{ files, checkpoint, minimumIndex, older: older(checkpoint, minimumIndex) },
    progress: () => undefined,
    report: (finding) =>
      report(
        finding.kind === 'forked' ? finding : { ...finding, file: `${folder}/${finding.file ?? 'tile'}` },
      ),
  });
  return isTree ? { files, size: checkpoint.size, minimumIndex } : null;
}

function checkpointIn(note: string): Checkpoint | string {
  try {
    return readCheckpoint(`${note.split('\n\n', 1)[0]}\n`);
  } catch (failure) {
    return sentenceOf(failure);
  }
}
