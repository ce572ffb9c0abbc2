// A segment into a store: one INSERT for each table its signal fills, and how a refusal of one is undone in the others.

import { sentenceOf } from '../../kit/log.ts';
import { signalOf } from '../signals.ts';
import type { Connection } from './connection.ts';
import {
  isCutSchema,
  isDataFault,
  isDoubt,
  isStandingFault,
  QueryFailed,
  SegmentInDoubt,
  SegmentRejected,
  StoreRefuses,
  StoreUnavailable,
} from './failures.ts';
import type { Layout } from './layout.ts';
import type { Source } from './load-parts.ts';
import { countingTable, type LoadStatement, loadStatements, undoStatement } from './load-statement.ts';

export interface LoadingPorts extends Pick<Connection, 'query' | 'command'> {
  /** Runs one load statement over the segment's bytes. Throws as `command` does. */
  insert(statement: string): Promise<void>;
  /** Where the statement finds them. */
  readonly source: Source;
  /** Whether what its spans said is to be kept by content. */
  hasBodies(): Promise<boolean>;
  readonly layout: Layout;
}

/** Answers how many of the segment's items are stored. Throws StoreUnavailable, SegmentInDoubt, SegmentRejected or StoreRefuses. */
export async function loadSegment(ports: LoadingPorts, segment: { id: string }): Promise<{ items: number }> {
  for (const statement of await statementsOf(ports, segment)) await loadTable(ports, statement, segment.id);
  const [row] = await ports.query<{ items: string }>(
    `SELECT sum(Spans) AS items FROM ${countingTable} WHERE SegmentId = {id:String}`,
    { id: segment.id },
  );
  return { items: Number(row?.items ?? 0) };
}

/** The same at each try. Throws StoreUnavailable. */
export async function statementsOf(
  ports: Pick<LoadingPorts, 'source' | 'hasBodies'>,
  segment: { id: string },
): Promise<readonly LoadStatement[]> {
  const hasBodies = signalOf(segment.id) === 'traces' && (await asked(ports.hasBodies));
  return loadStatements({ id: segment.id, source: ports.source, hasBodies });
}

async function loadTable(ports: LoadingPorts, { insert, count }: LoadStatement, id: string): Promise<void> {
  try {
    await ports.insert(insert);
  } catch (failure) {
    if (!(failure instanceof QueryFailed)) throw failure;
    const { code, message } = failure;
    if (isStandingFault(code)) throw new StoreRefuses(code, message);
    if (isCutSchema(code, message)) await forgetSchemas(ports, failure);
    const inDoubt = isDoubt(code, message);
    // Anything else that a load meets is of the moment: disk, too many parts.
    if (!inDoubt && !isDataFault(code)) throw new StoreUnavailable(message, { cause: failure });
    const [row] = await asked(() => ports.query<{ items: string }>(count, { id }));
    const isPartly = Number(row?.items ?? 0) > 0;
    throw inDoubt
      ? new SegmentInDoubt(code, message, isPartly)
      : new SegmentRejected(code, message, isPartly);
  }
}

/**
 * The engine keeps each schema it is given in a file (`__cache__`), and goes by that from then on: also where a full disk
 * cut it short. Ours is whole, and not the messages' fault. Throws StoreUnavailable: it writes them anew at the next try.
 */
async function forgetSchemas(ports: Pick<LoadingPorts, 'command'>, cause: QueryFailed): Promise<never> {
  await asked(() => ports.command('SYSTEM DROP FORMAT SCHEMA CACHE'));
  throw new StoreUnavailable('a format schema that a full disk cut short is written anew', { cause });
}

/**
 * Some tables may have had theirs before one refused a segment, and it will come again in halves, under other ids. Dying
 * midway is no harm: all of it is taken back once more before the halves come.
 */
export async function takeBackSegment(
  ports: Pick<LoadingPorts, 'command' | 'source' | 'layout'>,
  segment: { id: string },
): Promise<void> {
  const tables = loadStatements({ id: segment.id, source: ports.source }).map(({ table }) => table);
  if (tables.length === 1) return; // what the only one refused is nowhere
  await asked(async () => {
    for (const table of [...tables, countingTable])
      await ports.command(undoStatement(ports.layout.changed(table), segment.id));
  });
}

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (failure) {
    throw new StoreUnavailable(sentenceOf(failure), { cause: failure });
  }
}
