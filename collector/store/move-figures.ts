// By what two stores are known to hold the same: rows and a digest over them, in no order. A table whose merges sum rows up
// is counted as if they had, for neither side says when they do.

import type { Connection } from './connection.ts';

export interface TableFigures {
  readonly rows: string;
  /** Empty where merges change the rows. */
  readonly digest: string;
}

interface Table {
  readonly name: string;
  readonly engine: string;
}

/** Of every table that holds rows of its own; on a server those named, whose engines there may only forward. */
export async function figuresOfMove(
  store: Pick<Connection, 'query'>,
  named?: readonly string[],
): Promise<Record<string, TableFigures>> {
  const tables = await store.query<Table>(
    `SELECT name, engine FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
     AND name NOT IN ('outrider_migrations', 'outrider_moves', 'outrider_migrations_local', 'outrider_moves_local')`,
  );
  const found: Record<string, TableFigures> = {};
  for (const { name, engine } of tables) {
    const asked = named?.find((each) => name === each || name === `${each}_local`) ?? name;
    found[asked] = await figuresOf(store, asked, /(?:Aggregating|Replacing|Summing)MergeTree/.test(engine));
  }
  return found;
}

async function figuresOf(
  store: Pick<Connection, 'query'>,
  table: string,
  isMerged: boolean,
): Promise<TableFigures> {
  const digest = isMerged ? "''" : 'toString(groupBitXor(cityHash64(tuple(*))))';
  const [row] = await store.query<TableFigures>(
    `SELECT toString(count()) AS rows, ${digest} AS digest FROM ${table}${isMerged ? ' FINAL' : ''}`,
  );
  return row!;
}
