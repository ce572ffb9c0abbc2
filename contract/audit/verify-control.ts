// Control events beside the log: a chain like those of records, in its own order. What it proves is believed: records
// that a retention run dropped need not be there.

import { hash } from 'node:crypto';
import { canonicalJson, type Json } from '../audit-entry.ts';
import type { RetentionRun } from '../retention.ts';
import { CONTROL_STREAM_PREFIX, claimer, createChains } from './chains.ts';
import { EXPORT_FILES } from './export.ts';
import type { Finding, Report } from './finding.ts';
import { type ExportedRow, millisecondsOf, readRow, type SealedEntry } from './row.ts';
import { type DroppedLinks, type LinksVerified, type RowsInput, verifyLink } from './verify-rows.ts';

export type ControlInput = Pick<RowsInput, 'files' | 'leaves' | 'isExported' | 'rules' | 'report'>;

export interface ControlVerified extends LinksVerified {
  readonly dropped: readonly DroppedLinks[];
}

export async function verifyControl(input: ControlInput): Promise<ControlVerified> {
  const { files, isExported, report, rules } = input;
  const chains = createChains('control event', rules, report);
  const concerns = (stream: string): boolean => stream.startsWith(CONTROL_STREAM_PREFIX);
  const claimUntil = claimer({ leaves: input.leaves(), concerns, isExported }, chains);
  const watchOrder = orderWatch(report);
  const runs: RetentionEvent[] = [];
  let links = 0;
  let unsealed = 0;
  for await (const lines of files.lines(EXPORT_FILES.controlEvents))
    for (const line of lines) {
      const row = readRow(line);
      if (row?.audit_stream === '') {
        unsealed += 1;
        if (unsealed === 1 && !rules.acceptsUnlogged) report(unsealedEvent(row));
        continue;
      }
      await claimUntil(row ? millisecondsOf(String(row.timestamp)) : 0);
      const link = {
        file: EXPORT_FILES.controlEvents,
        in: 'control event',
        chains,
        report,
        disagreement,
      } as const;
      const entry = verifyLink(line, link);
      links += 1;
      if (entry === null) continue;
      watchOrder(entry);
      runs.push(...runOf(entry));
    }
  await claimUntil(Number.POSITIVE_INFINITY);
  const proven = runs.filter(({ stream, seq }) => chains.of(stream).isClaimed(seq));
  const dropped = proven.flatMap((run) => run.dropped);
  for (const { stream, first, last } of dropped)
    if (concerns(stream)) chains.of(stream).excuse(first, last, null);
  return { links, streams: chains.size, unlogged: chains.end() + unsealed, dropped };
}

/** From before events were sealed, or anybody's. */
const unsealedEvent = ({ id, event }: ExportedRow): Finding => ({
  kind: 'inserted',
  in: 'control event',
  file: EXPORT_FILES.controlEvents,
  what: `${event}, id ${id}, was never sealed: nothing proves it.`,
});

/** Reports the first event of a stream that stands behind a later one. */
function orderWatch(report: Report): (entry: SealedEntry) => void {
  const highest = new Map<string, number>();
  return ({ stream, seq }) => {
    const before = highest.get(stream) ?? -1;
    if (seq < before)
      report({
        kind: 'reordered',
        in: 'control event',
        stream,
        seq,
        what: `it stands behind number ${before}.`,
      });
    highest.set(stream, Math.max(before, seq));
  };
}

/** The first column that says otherwise than the entry, or null. */
function disagreement(row: ExportedRow, entry: SealedEntry): string | null {
  if (String(row.id) !== String(entry.id)) return 'id';
  for (const column of ['event', 'actor', 'reason'] as const)
    if (row[column] !== entry[column]) return column;
  if (row.agent_id !== entry.agent) return 'agent_id';
  if (millisecondsOf(String(row.timestamp)) !== entry.atMs) return 'timestamp';
  return detailsOf(row, entry.sourcesSha256) === canonicalJson(entry.details as Json) ? null : 'details';
}

/** Without a policy's text, of which the digest is sealed; null where that, or the details, are not as they were. */
function detailsOf(row: ExportedRow, sourcesSha256: unknown): string | null {
  const parsed = readRow(String(row.details)) as { readonly [key: string]: Json } | null;
  if (parsed === null) return null;
  const { sources, ...details } = parsed;
  if (sources !== undefined && hash('sha256', canonicalJson(sources), 'hex') !== sourcesSha256) return null;
  return canonicalJson(details);
}

/** A retention run is believed only where the log was told of it: one that anybody wrote excuses nothing. */
interface RetentionEvent {
  readonly stream: string;
  readonly seq: number;
  readonly dropped: readonly DroppedLinks[];
}

/** Of a retention run: `[[first, last], …]` a stream. */
function runOf({ stream: own, seq, event, details }: SealedEntry): RetentionEvent[] {
  if (event !== 'retention_run') return [];
  const { streams = [] } = details as Partial<RetentionRun>;
  const dropped = streams.flatMap(({ stream, dropped }) =>
    dropped.map(([first, last]) => ({ stream, first: Number(first), last: Number(last) })),
  );
  return [{ stream: own, seq, dropped }];
}
