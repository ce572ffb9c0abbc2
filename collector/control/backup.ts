// The control database's part of a backup: its folder, copied by the thread that alone writes it, and the figures of that
// very moment by which a restored one is known to be the same.

import type { Database } from './database.ts';
import { openPglite, type Row } from './pglite.ts';

/** Rows of a table, and a sum over their texts in no order. */
export interface TableFigures {
  readonly rows: string;
  readonly digest: string;
}

export type ControlFigures = Readonly<Record<string, TableFigures>>;

const TABLES = "select tablename::text as name from pg_tables where schemaname = 'public' order by 1";

/** Copies the database to a folder that is not there yet. */
export async function copyControl(database: Database, to: string): Promise<ControlFigures> {
  const names = (await database.query<{ name: string }>(TABLES)).map(({ name }) => name);
  return figuresFrom(await database.copy(to, figuresSql(names)));
}

/** What the database in a folder holds, of the tables that are named. Opens and closes it as it is, without migrating. */
export async function figuresOfControl(
  directory: string,
  tables: readonly string[],
): Promise<ControlFigures> {
  const thread = await openPglite(directory);
  try {
    const figures = figuresFrom(await thread.ask('query', figuresSql(tables), []));
    await thread.ask('close', '', []);
    return figures;
  } finally {
    await thread.terminate();
  }
}

function figuresSql(tables: readonly string[]): string {
  const each = tables.map(
    (name) => `select '${name}' as name, count(*)::text as rows,
      coalesce(sum(hashtextextended(t::text, 0)), 0)::text as digest from "${name}" t`,
  );
  return each.join(' union all ');
}

function figuresFrom(rows: readonly Row[]): ControlFigures {
  return Object.fromEntries(
    rows.map(({ name, rows: count, digest }) => [
      String(name),
      { rows: String(count), digest: String(digest) },
    ]),
  );
}
