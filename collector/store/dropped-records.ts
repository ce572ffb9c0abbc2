// Which records of which chains are in partitions that go: told before they do, so that a gap in a chain can be told from a
// theft.

import type { DroppedRecords, OverduePartition } from '../../contract/retention.ts';
import { quoted } from './sql-text.ts';
import type { Store } from './store.ts';

type Asked = Pick<Store, 'query'>;

/** Of every chain that loses records with these partitions of `actions`. */
export async function droppedRecords(
  store: Asked,
  partitions: readonly Pick<OverduePartition, 'table' | 'partition'>[],
): Promise<DroppedRecords[]> {
  const going = partitions
    .filter(({ table }) => table === 'actions')
    .map(({ partition }) => quoted(partition));
  if (going.length === 0) return [];
  const there = `_partition_id IN (${going.join(', ')})`;
  const rows = await store.query<{ stream: string; first: string; last: string }>(
    `SELECT stream, toString(min(seq)) AS first, toString(max(seq)) AS last FROM (
       SELECT audit_stream AS stream, audit_seq AS seq,
         seq - row_number() OVER (PARTITION BY stream ORDER BY seq) AS island
       FROM (SELECT DISTINCT audit_stream, audit_seq FROM actions WHERE ${there} AND audit_stream != '')
     ) GROUP BY stream, island ORDER BY stream, min(seq)`,
  );
  const kept = await store.query<{ stream: string; seq: string }>(
    `SELECT audit_stream AS stream, toString(min(audit_seq)) AS seq FROM actions
     WHERE NOT ${there} AND audit_stream IN (SELECT audit_stream FROM actions WHERE ${there}) GROUP BY stream`,
  );
  const keptFrom = new Map(kept.map(({ stream, seq }) => [stream, seq]));
  return [...Map.groupBy(rows, ({ stream }) => stream)].map(([stream, ranges]) => ({
    stream,
    dropped: ranges.map(({ first, last }) => [first, last] as const),
    kept_from: keptFrom.get(stream) ?? null,
  }));
}
