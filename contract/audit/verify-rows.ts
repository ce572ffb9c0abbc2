// Rows beside the log: each row says what its sealed entry says, each entry has the hash that its chain names, and each
// chain ends where the log was told.

import type { ChainRules } from './chain.ts';
import { type Chains, CONTROL_STREAM_PREFIX, claimer, createChains, type PlacedLeaf } from './chains.ts';
import { EXPORT_FILES, type ExportedFiles, hourEnd } from './export.ts';
import type { Finding, FoundIn, Report } from './finding.ts';
import type { Leaf } from './leaf.ts';
import { createMovedRows } from './moved-rows.ts';
import { disagreement, type ExportedRow, hashOfEntry, readEntry, readRow, type SealedEntry } from './row.ts';

export interface RowsInput {
  readonly files: ExportedFiles;
  /** In the order of the log, from its beginning with each call. */
  leaves(): AsyncGenerator<PlacedLeaf>;
  /** Whether the records of a leaf are among those exported. */
  isExported(leaf: Leaf): boolean;
  readonly dropped: readonly DroppedLinks[];
  readonly rules: ChainRules;
  readonly report: Report;
  progress(records: number): void;
}

/** Dropped in their time, as the control events say. */
export interface DroppedLinks {
  readonly stream: string;
  readonly first: number;
  readonly last: number;
}

export interface LinksVerified {
  readonly links: number;
  readonly streams: number;
  /** Links that no leaf brought. */
  readonly unlogged: number;
}

export async function verifyRows(input: RowsInput): Promise<LinksVerified> {
  const { files, isExported, report, rules } = input;
  const chains = createChains('record', rules, report);
  for (const { stream, first, last } of input.dropped) chains.of(stream).excuse(first, last, null);
  const concerns = (stream: string): boolean => !stream.startsWith(CONTROL_STREAM_PREFIX);
  const claimUntil = claimer({ leaves: input.leaves(), concerns, isExported }, chains);
  const moved = createMovedRows();
  let links = 0;
  for (const name of await files.list(EXPORT_FILES.actions)) {
    const file = `${EXPORT_FILES.actions}/${name}`;
    const compare: LinkInput['disagreement'] = (row, entry) => {
      const column = disagreement(row, entry);
      if (column === null) moved.note(row, entry, file);
      return column;
    };
    await claimUntil(hourEnd(name));
    for await (const lines of files.lines(file)) {
      for (const line of lines)
        verifyLink(line, { file, in: 'record', chains, report, disagreement: compare });
      links += lines.length;
      input.progress(links);
    }
  }
  await claimUntil(Number.POSITIVE_INFINITY);
  await moved.compare(input.leaves(), !rules.acceptsUnlogged && !rules.startsLate, report);
  return { links, streams: chains.size, unlogged: chains.end() };
}

export interface LinkInput {
  readonly file: string;
  readonly in: FoundIn;
  readonly chains: Chains;
  readonly report: Report;
  /** The first column that says otherwise than the entry, or null. */
  disagreement(row: ExportedRow, entry: SealedEntry): string | null;
}

/** Gives the entry of the row's link, whatever was found of it; null where none reads. */
export function verifyLink(line: string, input: LinkInput): SealedEntry | null {
  const row = readRow(line);
  const entry = row && readEntry(String(row.audit_entry));
  if (!row || !entry) {
    const what = 'it does not read as one row with a sealed entry.';
    input.report({ kind: 'altered', in: input.in, ...(row ? placeOf(row) : {}), file: input.file, what });
    return null;
  }
  const found = compareRow(row, entry, input.disagreement);
  if (found) input.report({ in: input.in, ...placeOf(row), file: input.file, ...found });
  input.chains.of(entry.stream).record({
    seq: entry.seq,
    hash: String(row.audit_hash),
    previous: entry.previous,
    callId: String(entry.callId ?? ''),
  });
  return entry;
}

function compareRow(
  row: ExportedRow,
  entry: SealedEntry,
  disagree: LinkInput['disagreement'],
): Pick<Finding, 'kind' | 'what'> | null {
  if (hashOfEntry(String(row.audit_entry)) !== row.audit_hash)
    return { kind: 'altered', what: 'its entry does not have the hash that stands beside it.' };
  if (row.audit_stream !== entry.stream || String(row.audit_seq) !== String(entry.seq))
    return {
      kind: 'reordered',
      what: `its entry was sealed as number ${entry.seq} of stream ${entry.stream}.`,
    };
  const column = disagree(row, entry);
  return column === null
    ? null
    : { kind: 'altered', what: `column ${column} says otherwise than the entry that was sealed.` };
}

const placeOf = (row: ExportedRow) => ({
  stream: String(row.audit_stream),
  seq: Number(row.audit_seq),
  ...(row.call_id === undefined ? {} : { call_id: String(row.call_id) }),
});
