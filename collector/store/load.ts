// A segment into a store: one INSERT for each table its signal fills, and how a refusal of one is undone in the others.

import { sentenceOf } from '../../kit/log.ts';
import type { Connection } from './connection.ts';
import {
  isDataFault,
  isStandingFault,
  QueryFailed,
  SegmentRejected,
  StoreRefuses,
  StoreUnavailable,
} from './failures.ts';
import type { Layout } from './layout.ts';
import type { Source } from './load-parts.ts';
import { countingTable, loadStatements, undoStatement } from './load-statement.ts';

export interface LoadingPorts extends Pick<Connection, 'query' | 'command'> {
  /** Runs one load statement over the segment's bytes. Throws as `command` does. */
  insert(statement: string): Promise<void>;
  /** Where the statement finds them. */
  readonly source: Source;
  readonly layout: Layout;
}

/** Answers how many of the segment's items are stored. Throws StoreUnavailable, SegmentRejected or StoreRefuses. */
export async function loadSegment(ports: LoadingPorts, segment: { id: string }): Promise<{ items: number }> {
  const statements = loadStatements({ id: segment.id, source: ports.source });
  for (const [index, { insert }] of statements.entries()) {
    try {
      await loadTable(ports, insert);
    } catch (failure) {
      const before = statements.slice(0, index).map(({ table }) => table);
      if (failure instanceof SegmentRejected) await takeBack(ports, segment.id, before);
      throw failure;
    }
  }
  const [row] = await ports.query<{ items: string }>(
    `SELECT sum(Spans) AS items FROM ${countingTable} WHERE SegmentId = {id:String}`,
    { id: segment.id },
  );
  return { items: Number(row?.items ?? 0) };
}

async function loadTable(ports: LoadingPorts, insert: string): Promise<void> {
  try {
    await ports.insert(insert);
  } catch (failure) {
    if (!(failure instanceof QueryFailed)) throw failure;
    if (isDataFault(failure.code)) throw new SegmentRejected(failure.code, failure.message);
    if (isStandingFault(failure.code)) throw new StoreRefuses(failure.code, failure.message);
    // Anything else that a load meets is of the moment: memory, disk, too many parts.
    throw new StoreUnavailable(failure.message, { cause: failure });
  }
}

/**
 * A segment is refused whole, though some of its tables had theirs already: it will come again in halves, under other
 * ids. Dying midway is no harm: the same segment adds nothing, is refused again, and the rest is taken back.
 */
async function takeBack(ports: LoadingPorts, segmentId: string, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  try {
    for (const table of [...tables, countingTable])
      await ports.command(undoStatement(ports.layout.changed(table), segmentId));
  } catch (failure) {
    throw new StoreUnavailable(sentenceOf(failure), { cause: failure });
  }
}
