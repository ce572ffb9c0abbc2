// Rows that show another time than their call began at. The store shows when the request came instead, where the clock was
// broken: and when it came stands in the log. So each such row is held to the leaves that brought it, once all rows were
// read; they are few, or a sidecar's clock stood wrong.

import type { PlacedLeaf } from './chains.ts';
import type { Report } from './finding.ts';
import { type ExportedRow, isAsBegun, isClampedTo, millisecondsOf, type SealedEntry } from './row.ts';

interface MovedRow {
  readonly stream: string;
  readonly seq: number;
  readonly callId: string;
  readonly file: string;
  readonly startedMs: number;
  readonly shownMs: number;
  /** `unclaimed`: no leaf brought it. */
  found: 'unclaimed' | 'otherwise' | 'so';
}

export interface MovedRows {
  note(row: ExportedRow, entry: SealedEntry, file: string): void;
  /** Reports rows that no leaf came at the time of; those that no leaf brought only if told to. */
  compare(leaves: AsyncIterable<PlacedLeaf>, reportsUnclaimed: boolean, report: Report): Promise<void>;
}

export function createMovedRows(): MovedRows {
  const streams = new Map<string, Map<number, MovedRow[]>>();
  return {
    note(row, entry, file) {
      const startedMs = Number(entry.startedAtMs);
      const shownMs = millisecondsOf(String(row.timestamp));
      if (isAsBegun(shownMs, entry)) return;
      const { stream, seq } = entry;
      const callId = String(entry.callId ?? '');
      const moved: MovedRow = { stream, seq, callId, file, startedMs, shownMs, found: 'unclaimed' };
      const ofStream = streams.get(stream) ?? new Map<number, MovedRow[]>();
      streams.set(stream, ofStream.set(seq, [...(ofStream.get(seq) ?? []), moved]));
    },
    async compare(leaves, reportsUnclaimed, report) {
      if (streams.size === 0) return;
      for await (const { chains, receivedMs } of leaves)
        for (const { stream, first, last } of chains)
          for (const row of between(streams.get(stream), first, last)) hold(row, receivedMs);
      for (const rows of streams.values())
        for (const row of [...rows.values()].flat())
          if (row.found === 'otherwise' || (row.found === 'unclaimed' && reportsUnclaimed)) tell(row, report);
    },
  };
}

function* between(
  rows: ReadonlyMap<number, readonly MovedRow[]> | undefined,
  first: number,
  last: number,
): Generator<MovedRow> {
  if (!rows) return;
  if (last - first > rows.size) {
    for (const [seq, found] of rows) if (first <= seq && seq <= last) yield* found;
  } else for (let seq = first; seq <= last; seq += 1) yield* rows.get(seq) ?? [];
}

function hold(row: MovedRow, receivedMs: number): void {
  const isSo = Math.abs(row.shownMs - receivedMs) <= 1 && isClampedTo(receivedMs, row.startedMs);
  if (isSo) row.found = 'so';
  else if (row.found === 'unclaimed') row.found = 'otherwise';
}

function tell({ stream, seq, callId, file }: MovedRow, report: Report): void {
  const what = 'column timestamp says neither when the call began nor when its request came.';
  report({ kind: 'altered', in: 'record', stream, seq, call_id: callId, file, what });
}
