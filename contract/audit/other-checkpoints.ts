// Checkpoints of the log other than the newest: kept beside it, kept by somebody, or told outside. Each must be of a log
// that this one begins with. Which of them can be held to the tree follows from how much of it is there.
//
//   0 ──── incomparable ──── minimum index ──── compared ──── newest ──── truncated, or later than the export

import { sentenceOf } from '../../kit/log.ts';
import { type Checkpoint, openCheckpoint } from '../../kit/tlog/checkpoint.ts';
import type { NoteVerifier } from '../../kit/tlog/note.ts';
import { EXPORT_FILES, type ExportedFiles } from './export.ts';
import type { Finding, Report } from './finding.ts';
import { forked, type OlderCheckpoint } from './verify-tree.ts';

/** A signed note, by the name people know it by. */
export interface NamedNote {
  readonly name: string;
  readonly note: string;
}

export interface AnchoredNote extends NamedNote {
  /** When the place outside got it, in milliseconds since 1970. */
  readonly toldMs: number;
}

export interface OthersInput {
  readonly files: ExportedFiles;
  readonly trusted: readonly NoteVerifier[];
  readonly against: readonly NamedNote[];
  readonly anchored: readonly AnchoredNote[] | null;
}

/** The end of a log. */
interface Newest {
  readonly checkpoint: Pick<Checkpoint, 'origin' | 'size'>;
  readonly minimumIndex: number;
  /** When the export was. */
  readonly madeMs: number;
}

export interface Others {
  /** To be compared with the tree, the smallest first. */
  readonly older: readonly OlderCheckpoint[];
  readonly checkpoints: number;
  readonly incomparable: number;
  readonly later: number;
}

/** Of the log that is signed. */
export async function otherCheckpoints(input: OthersInput, newest: Newest, report: Report): Promise<Others> {
  const outside = toldOutside(input, newest);
  const others = [...(await keptBeside(input)), ...input.against, ...outside];
  const sorted = sortedOut(others, input.trusted, newest, report);
  const isAnchored = sorted.older.some(({ name }) => outside.some((each) => each.name === name));
  if (input.anchored && !isAnchored) report(NOT_ANCHORED);
  return sorted;
}

/** Of a log that ended before it: those that were told outside of it alone. One that is longer tells what a restore lost. */
export function checkpointsOfEnded(input: OthersInput, ended: Newest, report: Report): Others {
  const trusted = input.trusted.map((key) => key.named(ended.checkpoint.origin));
  return sortedOut(toldOutside(input, ended), trusted, ended, report);
}

const toldOutside = ({ anchored }: OthersInput, { checkpoint }: Newest): readonly AnchoredNote[] =>
  anchored?.filter(({ note }) => note.startsWith(`${checkpoint.origin}\n`)) ?? [];

function sortedOut(
  others: readonly (NamedNote & Partial<AnchoredNote>)[],
  trusted: readonly NoteVerifier[],
  newest: Newest,
  report: Report,
): Others {
  const { origin, size: leaves } = newest.checkpoint;
  const found: OlderCheckpoint[] = [];
  let later = 0;
  for (const { name, note, toldMs = 0 } of others) {
    const checkpoint = opened({ name, note }, trusted, report);
    if (checkpoint === null) continue;
    if (checkpoint.origin !== origin) report(forked({ ...checkpoint, name }, newest.checkpoint));
    else if (checkpoint.size <= leaves) found.push({ ...checkpoint, name });
    else if (toldMs > newest.madeMs) later += 1;
    else report(truncated(name, checkpoint, newest.checkpoint));
  }
  const older = found.filter(({ size }) => size >= newest.minimumIndex).sort((a, b) => a.size - b.size);
  return { older, checkpoints: older.length, incomparable: found.length - older.length, later };
}

async function keptBeside({ files }: OthersInput): Promise<NamedNote[]> {
  const names = await files.list(EXPORT_FILES.checkpoints);
  const kept = names.map(async (name) => {
    const file = `${EXPORT_FILES.checkpoints}/${name}`;
    const bytes = await files.read(file).catch(() => ''); // what can't be read is no note
    return { name: file, note: bytes.toString() };
  });
  return Promise.all(kept);
}

/** Null, and reported, where no trusted key signed it. */
export function opened(
  { name: file, note }: NamedNote,
  trusted: readonly NoteVerifier[],
  report: Report,
): Checkpoint | null {
  try {
    return openCheckpoint(note, trusted);
  } catch (failure) {
    const what = underAnotherName(note, trusted) ?? sentenceOf(failure);
    report({ kind: 'unsigned', in: 'checkpoint', file, what });
    return null;
  }
}

/** What is wrong with a note that a trusted key signed for another log of its own; null: that is not what is wrong. */
function underAnotherName(note: string, trusted: readonly NoteVerifier[]): string | null {
  const [origin = ''] = note.split('\n', 1);
  const key = trusted.find((each) => isSignedBy(note, each.named(origin)));
  return key && key.name !== origin
    ? `the key given signed it, but its line is of the log ${key.name} and this is ${origin}: that log ended and another began; learn why, then take the line anew from the collector.`
    : null;
}

function isSignedBy(note: string, key: NoteVerifier): boolean {
  try {
    openCheckpoint(note, [key]);
    return true;
  } catch {
    return false; // whoever asks has the reason already
  }
}

const NOT_ANCHORED: Finding = {
  kind: 'deleted',
  in: 'checkpoint',
  what: 'no checkpoint of what is exported is among those that were told outside.',
};

const truncated = (file: string, { size }: Checkpoint, newest: Newest['checkpoint']): Finding => ({
  kind: 'truncated',
  in: 'checkpoint',
  file,
  log_index: newest.size,
  what: `a checkpoint of ${size} leaves was signed, and this log ends at ${newest.size}.`,
});
