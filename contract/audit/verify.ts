// Verifies an exported directory against a public key: the note's signature, checkpoints that others hold, the log, the
// order of its times, the control events, and then each row. Needs nothing but the directory, the key, and what is to be
// compared with it. A log that is not the one signed ends it: all that follows is held to its leaves.

import { sentenceOf } from '../../kit/log.ts';
import { type Checkpoint, openCheckpoint } from '../../kit/tlog/checkpoint.ts';
import type { NoteVerifier } from '../../kit/tlog/note.ts';
import { TILE_WIDTH } from '../../kit/tlog/tiles.ts';
import type { PlacedLeaf } from './chains.ts';
import { EXPORT_FILES, EXPORT_VERSION, type ExportedFiles, type ExportManifest } from './export.ts';
import { readBundle } from './exported-tree.ts';
import type { Finding, Report } from './finding.ts';
import { decodeLeaf, type Leaf } from './leaf.ts';
import { verifyControl } from './verify-control.ts';
import { verifyRows } from './verify-rows.ts';
import { forked, type OlderCheckpoint, verifyTree } from './verify-tree.ts';

export interface VerifyInput {
  readonly files: ExportedFiles;
  readonly trusted: readonly NoteVerifier[];
  /** Signed notes that were kept elsewhere, by the names people know them by. */
  readonly against: readonly { readonly name: string; readonly note: string }[];
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
  /** Records that no request in the log brought; they fail unless they were accepted. */
  readonly unlogged: number;
  /** Checkpoints compared, kept ones and those given. */
  readonly checkpoints: number;
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
  if (checkpoint === null) return summary(found, null, NOTHING);
  const older = await olderCheckpoints(input, checkpoint, report);
  const isTree = await verifyTree({
    files: input.files,
    checkpoint,
    minimumIndex: manifest.minimum_index,
    older,
    report,
    progress: (leaves) => input.progress('leaves', leaves, checkpoint.size),
  });
  if (!isTree) return summary(found, checkpoint, { ...NOTHING, checkpoints: older.length });
  const seen = await verifyLinks(input, manifest, checkpoint, report);
  return summary(found, checkpoint, { ...seen, checkpoints: older.length });
}

type Seen = Pick<
  Verified,
  'from' | 'to' | 'records' | 'streams' | 'control_events' | 'unlogged' | 'checkpoints'
>;

const NOTHING: Seen = {
  from: null,
  to: null,
  records: 0,
  streams: 0,
  control_events: 0,
  unlogged: 0,
  checkpoints: 0,
};

async function verifyLinks(
  { files, acceptsUnlogged, progress }: VerifyInput,
  manifest: ExportManifest,
  checkpoint: Checkpoint,
  report: Report,
): Promise<Seen> {
  const leaves = (told: Report = () => undefined) =>
    leavesOf(files, manifest.minimum_index, checkpoint.size, told);
  const isExported = isWithin(manifest);
  const rules = { acceptsUnlogged, startsLate: manifest.minimum_index > 0 };
  const span = await verifyTimes(leaves(report), report);
  const control = await verifyControl({ files, leaves: leaves(), isExported, rules, report });
  const rows = await verifyRows({
    files,
    leaves: leaves(),
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
  };
}

function summary(found: readonly Finding[], checkpoint: Checkpoint | null, seen: Seen): Verified {
  return {
    holds: found.length === 0,
    origin: checkpoint?.origin ?? '',
    leaves: checkpoint?.size ?? 0,
    ...seen,
    findings: inOrder(found),
  };
}

/** Links of one stream by their numbers: what comes first in a chain is what to look at first. */
function inOrder(found: readonly Finding[]): Finding[] {
  const streams = [...new Set(found.map(({ stream }) => stream))];
  const place = ({ stream }: Finding): number => streams.indexOf(stream);
  return found.toSorted((a, b) => place(a) - place(b) || (a.seq ?? 0) - (b.seq ?? 0));
}

async function readManifest(files: ExportedFiles): Promise<ExportManifest> {
  const bytes = await files.read(EXPORT_FILES.manifest).catch(() => {
    throw new Error(
      `There is no ${EXPORT_FILES.manifest}: name a directory that \`outrider audit export\` wrote.`,
    );
  });
  const manifest = JSON.parse(bytes.toString()) as ExportManifest;
  if (manifest.version !== EXPORT_VERSION)
    throw new Error(`The export is of version ${manifest.version}; this release reads ${EXPORT_VERSION}.`);
  if (!Number.isSafeInteger(manifest.minimum_index) || manifest.minimum_index % TILE_WIDTH !== 0)
    throw new Error(`${EXPORT_FILES.manifest} names no minimum_index that is a multiple of ${TILE_WIDTH}.`);
  return manifest;
}

async function signedCheckpoint({ files, trusted }: VerifyInput, report: Report): Promise<Checkpoint | null> {
  const file = EXPORT_FILES.checkpoint;
  const note = await files.read(file).catch(() => null);
  if (note === null) {
    report({ kind: 'deleted', in: 'checkpoint', file, what: 'the checkpoint is missing.' });
    return null;
  }
  return opened(note.toString(), file, trusted, report);
}

function opened(
  note: string,
  file: string,
  trusted: readonly NoteVerifier[],
  report: Report,
): Checkpoint | null {
  try {
    return openCheckpoint(note, trusted);
  } catch (failure) {
    report({ kind: 'unsigned', in: 'checkpoint', file, what: sentenceOf(failure) });
    return null;
  }
}

/** Those kept beside the log and those given, of prefixes of it, the smallest first. Others are reported. */
async function olderCheckpoints(
  { files, trusted, against }: VerifyInput,
  newest: Checkpoint,
  report: Report,
): Promise<OlderCheckpoint[]> {
  const names = await files.list(EXPORT_FILES.checkpoints);
  const kept = names.map(async (name) => {
    const file = `${EXPORT_FILES.checkpoints}/${name}`;
    return { name: file, note: (await files.read(file)).toString() };
  });
  const older: OlderCheckpoint[] = [];
  for (const { name, note } of [...(await Promise.all(kept)), ...against]) {
    const checkpoint = opened(note, name, trusted, report);
    if (checkpoint === null) continue;
    if (checkpoint.size > newest.size) report(truncated(name, checkpoint, newest));
    else if (checkpoint.origin !== newest.origin) report(forked({ ...checkpoint, name }, newest));
    else older.push({ ...checkpoint, name });
  }
  return older.sort((a, b) => a.size - b.size);
}

const truncated = (file: string, { size }: Checkpoint, newest: Checkpoint): Finding => ({
  kind: 'truncated',
  in: 'checkpoint',
  file,
  log_index: newest.size,
  what: `a checkpoint of ${size} leaves was signed, and this log ends at ${newest.size}.`,
});

async function* leavesOf(
  files: ExportedFiles,
  from: number,
  size: number,
  report: Report,
): AsyncGenerator<PlacedLeaf> {
  for (let first = from; first < size; first += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - first);
    const entries = (await readBundle(files, { index: first / TILE_WIDTH, width })) ?? [];
    for (const [at, entry] of entries.entries()) {
      const leaf = decoded(entry, first + at, report);
      if (leaf) yield { ...leaf, logIndex: first + at };
    }
  }
}

function decoded(entry: Buffer, logIndex: number, report: Report): Leaf | null {
  try {
    return decodeLeaf(entry);
  } catch (failure) {
    report({ kind: 'altered', in: 'leaf', log_index: logIndex, what: sentenceOf(failure) });
    return null;
  }
}

/** Clocks are set now and then; a sequencer that follows one back by more than this was told a story. */
const BACK_MS_MAX = 1_000;

async function verifyTimes(
  leaves: AsyncGenerator<PlacedLeaf>,
  report: Report,
): Promise<Pick<Seen, 'from' | 'to'>> {
  let from: number | null = null;
  let latest = 0;
  for await (const { receivedMs, logIndex } of leaves) {
    from ??= receivedMs;
    if (receivedMs < latest - BACK_MS_MAX) {
      const what = `it came ${(latest - receivedMs) / 1000} s before one that stands before it.`;
      report({ kind: 'reordered', in: 'leaf', log_index: logIndex, what });
    }
    latest = Math.max(latest, receivedMs);
  }
  return { from: iso(from), to: iso(from === null ? null : latest) };
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function isWithin({ since, until }: ExportManifest): (leaf: Leaf) => boolean {
  const from = since === null ? Number.NEGATIVE_INFINITY : Date.parse(since);
  const to = until === null ? Number.POSITIVE_INFINITY : Date.parse(until);
  return ({ receivedMs }) => from <= receivedMs && receivedMs < to;
}
