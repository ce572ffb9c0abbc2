// Logs that ended before this one began: a collector that was restored, or whose log was set back, begins another. The first
// leaf of each names the last checkpoint of the one before by its digest, so one signature holds them all.
//
//   signed checkpoint ─▶ tree ─▶ first leaf ── SHA-256 of ──▶ checkpoint before ─▶ tree ─▶ first leaf ─▶ …

import { hash } from 'node:crypto';
import { sentenceOf } from '../../kit/log.ts';
import { type Checkpoint, readCheckpoint } from '../../kit/tlog/checkpoint.ts';
import { sameHash } from '../../kit/tlog/merkle.ts';
import { TILE_WIDTH } from '../../kit/tlog/tiles.ts';
import { EXPORT_FILES, type ExportedFiles, filesBelow } from './export.ts';
import { readBundle } from './exported-tree.ts';
import type { Report } from './finding.ts';
import { decodeLeaf, NO_DIGEST } from './leaf.ts';
import { type OlderCheckpoint, verifyTree } from './verify-tree.ts';

export interface VerifiedLog {
  readonly files: ExportedFiles;
  readonly size: number;
  readonly minimumIndex: number;
}

export interface EarlierInput {
  readonly files: ExportedFiles;
  /** Those told outside of a log that ended, the smallest first; none larger than it. */
  older(ended: Checkpoint): readonly OlderCheckpoint[];
  readonly report: Report;
}

/** Those before `newest`, oldest first; null, and reported, where one is not as it was. */
export async function earlierLogs(input: EarlierInput, newest: VerifiedLog): Promise<VerifiedLog[] | null> {
  const logs: VerifiedLog[] = [];
  for (let follows = await followedBy(newest); follows !== null; follows = await followedBy(logs[0]!)) {
    const log = await endedWith(input, follows);
    if (log === null) return null;
    logs.unshift(log);
  }
  return logs;
}

/** The digest of the checkpoint that a log follows; null for the first one, and where its first leaf is no longer kept. */
async function followedBy({ files, size, minimumIndex }: VerifiedLog): Promise<Uint8Array | null> {
  if (minimumIndex > 0 || size === 0) return null;
  const [first] = (await readBundle(files, { index: 0, width: Math.min(TILE_WIDTH, size) })) ?? [];
  if (!first) return null;
  const { kind, digest } = decodeLeaf(first);
  return kind === 'start' && !sameHash(digest, NO_DIGEST) ? digest : null;
}

async function endedWith(input: EarlierInput, digest: Uint8Array): Promise<VerifiedLog | null> {
  const { files, report } = input;
  for (const name of await files.list(EXPORT_FILES.logs)) {
    const folder = `${EXPORT_FILES.logs}/${name}`;
    const own = filesBelow(files, folder);
    const note = await own.read(EXPORT_FILES.checkpoint).catch(() => null);
    if (note && sameHash(hash('sha256', note, 'buffer'), digest))
      return asItWas({ ...input, files: own }, folder, note);
  }
  const hex = Buffer.from(digest).toString('hex');
  const what = `the log before this one, which ended with the checkpoint of SHA-256 ${hex}, is missing.`;
  report({ kind: 'deleted', in: 'checkpoint', what });
  return null;
}

async function asItWas(
  { files, older, report }: EarlierInput,
  folder: string,
  note: Buffer,
): Promise<VerifiedLog | null> {
  const checkpoint = checkpointIn(note.toString());
  if (typeof checkpoint === 'string') {
    report({ kind: 'altered', in: 'checkpoint', file: `${folder}/checkpoint`, what: checkpoint });
    return null;
  }
  const input = { files, checkpoint, minimumIndex: 0, older: older(checkpoint), progress: () => undefined };
  const isTree = await verifyTree({
    ...input,
    report: (finding) =>
      report(
        finding.kind === 'forked' ? finding : { ...finding, file: `${folder}/${finding.file ?? 'tile'}` },
      ),
  });
  return isTree ? { files, size: checkpoint.size, minimumIndex: 0 } : null;
}

function checkpointIn(note: string): Checkpoint | string {
  try {
    return readCheckpoint(`${note.split('\n\n', 1)[0]}\n`);
  } catch (failure) {
    return sentenceOf(failure);
  }
}
