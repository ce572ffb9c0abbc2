// Which records of which chains are in partitions that go: told before they do, so that a gap in a chain can be told from a
// theft.

import type { DroppedRecords, OverduePartition } from '../../contract/retention.ts';
import { quoted } from './sql-text.ts';
import type { Store } from './store.ts';

type Asked = Pick<Store, 'query'>;

/** Sidecars' records, and the control events'. */
const CHAINED = ['actions', 'control_event_records'];

/** Of every chain that loses records with these partitions. */
export async function droppedRecords(
  store: Asked,
  partitions: readonly Pick<OverduePartition, 'table' | 'partition'>[],
): Promise<DroppedRecords[]> {
  const dropped: DroppedRecords[] = [];
  for (const table of CHAINED) {
    const going = partitions.filter((each) => each.table === table).map(({ partition }) => partition);
    if (going.length > 0) dropped.push(...(await droppedOf(store, table, going)));
  }
  return dropped;
}

async function droppedOf(store: Asked, table: string, going: readonly string[]): Promise<DroppedRecords[]> {
  const there = `_partition_id IN (${going.map(quoted).join(', ')})`;
  const rows = await store.query<{ stream: string; first: string; last: string }>(
    `SELECT stream, toString(min(seq)) AS first, toString(max(seq)) AS last FROM (
       SELECT audit_stream AS stream, audit_seq AS seq,
         seq - row_number() OVER (PARTITION BY stream ORDER BY seq) AS island
       FROM (SELECT DISTINCT audit_stream, audit_seq FROM ${table} WHERE ${there} AND audit_stream != '')
     ) GROUP BY stream, island ORDER BY stream, min(seq)`,
  );
  const kept = await store.query<{ stream: string; seq: string }>(
    `SELECT audit_stream AS stream, toString(min(audit_seq)) AS seq FROM ${table}
     WHERE NOT ${there} AND audit_stream IN (SELECT audit_stream FROM ${table} WHERE ${there}) GROUP BY stream`,
  );
  const keptFrom = new Map(kept.map(({ stream, seq }) => [stream, seq]));
  return [...Map.groupBy(rows, ({ stream }) => stream)].map(([stream, ranges]) => ({
    stream,
    dropped: ranges.map(({ first, last }) => [first, last] as const),
    kept_from: keptFrom.get(stream) ?? null,
  }));
}
