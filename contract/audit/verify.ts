// Verifies an exported directory against a public key: the note's signature, checkpoints that others hold, the log, the
// order of its times, the control events, and then each row. Needs nothing but the directory, the key, and what is to be
// compared with it. A log that is not the one signed ends it: all that follows is held to its leaves.

import type { Checkpoint } from '../../kit/tlog/checkpoint.ts';
import { isSize } from '../../kit/tlog/merkle.ts';
import type { NoteVerifier } from '../../kit/tlog/note.ts';
import { TILE_WIDTH } from '../../kit/tlog/tiles.ts';
import { type EarlierLogs, earlierLogs } from './earlier-logs.ts';
import { EXPORT_FILES, EXPORT_VERSION, type ExportedFiles, type ExportManifest } from './export.ts';
import type { Finding, Report } from './finding.ts';
import type { Leaf } from './leaf.ts';
import { leavesOf } from './logged-leaves.ts';
import {
  type AnchoredNote,
  checkpointsOfEnded,
  type NamedNote,
  type Others,
  opened,
  otherCheckpoints,
} from './other-checkpoints.ts';
import { verifyControl } from './verify-control.ts';
import { verifyLeaves } from './verify-leaves.ts';
import { verifyRows } from './verify-rows.ts';
import { verifyTree } from './verify-tree.ts';

export interface VerifyInput {
  readonly files: ExportedFiles;
  readonly trusted: readonly NoteVerifier[];
  readonly against: readonly NamedNote[];
  /** What `audit.anchors` told a place outside, of every log it was told of; null: nobody looked there. */
  readonly anchored: readonly AnchoredNote[] | null;
  readonly acceptsUnlogged: boolean;
  progress(step: 'leaves' | 'records', done: number, total: number): void;
}

export interface Verified {
  readonly holds: boolean;
  readonly origin: string;
  readonly leaves: number;
  /** When the first and the last leaf came, ISO 8601; null of an empty log. */
  readonly from: string | null;
  readonly to: string | null;
  readonly records: number;
  readonly streams: number;
  readonly control_events: number;
  /** What the manifest says the export is of, by when requests came; null: from the beginning, to the end. Nothing signs it. */
  readonly since: string | null;
  readonly until: string | null;
  /** Records that no request in the log brought, and events never sealed; they fail unless they were accepted. */
  readonly unlogged: number;
  /** Checkpoints compared, kept ones and those given. */
  readonly checkpoints: number;
  /** Those of a log so short that what it held is no longer kept. */
  readonly incomparable: number;
  /** Those told outside after the export was made, of the log as it went on. */
  readonly later: number;
  readonly findings: readonly Finding[];
}

const FINDINGS_MAX = 1_000;

/** Throws Error where the directory is no export, or of a version that is not known. */
export async function verifyExport(input: VerifyInput): Promise<Verified> {
  const manifest = await readManifest(input.files);
  const found: Finding[] = [];
  const report: Report = (finding) => {
    if (found.length < FINDINGS_MAX) found.push(finding);
  };
  const checkpoint = await signedCheckpoint(input, report);
  if (checkpoint === null) return summary(found, null, manifest, NOTHING);
  const minimumIndex = manifest.minimum_index;
  const madeMs = Date.parse(manifest.made_at);
  const others = await otherCheckpoints(input, { checkpoint, minimumIndex, madeMs }, report);
  const isTree = await verifyTree({
    files: input.files,
    checkpoint,
    minimumIndex,
    older: others.older,
    report,
    progress: (leaves) => input.progress('leaves', leaves, checkpoint.size),
  });
  if (!isTree) return summary(found, checkpoint, manifest, { ...NOTHING, ...countsOf([others]) });
  const newest = { files: input.files, size: checkpoint.size, minimumIndex };
  const told: Others[] = [others];
  const older = (ended: Checkpoint, itsMinimumIndex: number) => {
    const its = checkpointsOfEnded(
      input,
      { checkpoint: ended, minimumIndex: itsMinimumIndex, madeMs },
      report,
    );
    told.push(its);
    return its.older;
  };
  const earlier = await earlierLogs({ files: input.files, told: manifest.logs, older, report }, newest);
  const compared = countsOf(told);
  if (earlier === null) return summary(found, checkpoint, manifest, { ...NOTHING, ...compared });
  const kept = { logs: [...earlier.logs, newest], isCut: earlier.isCut };
  const seen = await verifyLinks(input, manifest, kept, report);
  return summary(found, checkpoint, manifest, { ...seen, ...compared });
}

const countsOf = (all: readonly Others[]) => ({
  checkpoints: total(all, 'checkpoints'),
  incomparable: total(all, 'incomparable'),
  later: total(all, 'later'),
});

const total = (all: readonly Others[], count: 'checkpoints' | 'incomparable' | 'later'): number =>
  all.reduce((sum, others) => sum + others[count], 0);

type Seen = Pick<
  Verified,
  | 'from'
  | 'to'
  | 'records'
  | 'streams'
  | 'control_events'
  | 'unlogged'
  | 'checkpoints'
  | 'incomparable'
  | 'later'
>;

const NOTHING: Seen = {
  from: null,
  to: null,
  records: 0,
  streams: 0,
  control_events: 0,
  unlogged: 0,
  checkpoints: 0,
  incomparable: 0,
  later: 0,
};

async function verifyLinks(
  { files, acceptsUnlogged, progress }: VerifyInput,
  manifest: ExportManifest,
  { logs, isCut }: EarlierLogs,
  report: Report,
): Promise<Seen> {
  const leaves = () => leavesOf(logs);
  const isExported = isWithin(manifest);
  const rules = { acceptsUnlogged, startsLate: isCut || logs[0]!.minimumIndex > 0 };
  const span = await verifyLeaves(logs, report);
  const control = await verifyControl({ files, leaves, isExported, rules, report });
  const rows = await verifyRows({
    files,
    leaves,
    isExported,
    dropped: control.dropped,
    rules,
    report,
    progress: (records) => progress('records', records, manifest.actions),
  });
  return {
    ...span,
    records: rows.links,
    streams: rows.streams,
    control_events: control.links,
    unlogged: rows.unlogged + control.unlogged,
    checkpoints: 0,
    incomparable: 0,
    later: 0,
  };
}

function summary(
  found: readonly Finding[],
  checkpoint: Checkpoint | null,
  { since, until }: ExportManifest,
  seen: Seen,
): Verified {
  return {
    holds: found.length === 0,
    origin: checkpoint?.origin ?? '',
    leaves: checkpoint?.size ?? 0,
    since,
    until,
    ...seen,
    findings: inOrder(found),
  };
}

/**
 * Links of one stream by their numbers: what comes first in a chain is what to look at first. A checkpoint of a longer log
 * says least: what else is wrong with this one is why.
 */
function inOrder(found: readonly Finding[]): Finding[] {
  const streams = [...new Set(found.map(({ stream }) => stream))];
  const place = ({ stream }: Finding): number => streams.indexOf(stream);
  const isLonger = (each: Finding): number => Number(each.in === 'checkpoint' && each.kind === 'truncated');
  return found.toSorted(
    (a, b) => place(a) - place(b) || (a.seq ?? 0) - (b.seq ?? 0) || isLonger(a) - isLonger(b),
  );
}

async function readManifest(files: ExportedFiles): Promise<ExportManifest> {
  const bytes = await files.read(EXPORT_FILES.manifest).catch(() => {
    throw new Error(
      `There is no ${EXPORT_FILES.manifest}: name a directory that \`outrider audit export\` wrote.`,
    );
  });
  const manifest = asManifest(bytes.toString());
  if (manifest?.version !== EXPORT_VERSION)
    throw new Error(`The export is of version ${manifest?.version}; this release reads ${EXPORT_VERSION}.`);
  for (const minimumIndex of [manifest.minimum_index, ...minimumIndicesOf(manifest.logs)])
    if (!isSize(minimumIndex) || minimumIndex % TILE_WIDTH !== 0)
      throw new Error(`${EXPORT_FILES.manifest} names no minimum_index that is a multiple of ${TILE_WIDTH}.`);
  for (const time of [manifest.since, manifest.until])
    if (time !== null && !(Date.parse(time) >= 0))
      throw new Error(`${EXPORT_FILES.manifest} names no since and until that are null or a time.`);
  return manifest;
}

/** Of whatever stands there. */
const minimumIndicesOf = (logs: ExportManifest['logs'] = []): readonly number[] =>
  Array.isArray(logs) ? logs.map((log) => log?.minimum_index) : [Number.NaN];

function asManifest(text: string): ExportManifest | null {
  try {
    return JSON.parse(text) as ExportManifest | null;
  } catch {
    throw new Error(`${EXPORT_FILES.manifest} is not JSON: export again.`);
  }
}

async function signedCheckpoint({ files, trusted }: VerifyInput, report: Report): Promise<Checkpoint | null> {
  const file = EXPORT_FILES.checkpoint;
  const note = await files.read(file).catch(() => null);
  if (note === null) {
    report({ kind: 'deleted', in: 'checkpoint', file, what: 'the checkpoint is missing.' });
    return null;
  }
  return opened({ name: file, note: note.toString() }, trusted, report);
}

function isWithin({ since, until }: ExportManifest): (leaf: Leaf) => boolean {
  const from = since === null ? Number.NEGATIVE_INFINITY : Date.parse(since);
  const to = until === null ? Number.POSITIVE_INFINITY : Date.parse(until);
  return ({ receivedMs }) => from <= receivedMs && receivedMs < to;
}
