// Where the tables of the migrations really stand. On one ClickHouse they are what their names say; on a cluster each is
// two (cluster.ts), and whoever changes a table rather than asks it must name the one that holds the rows.

export interface Layout {
  /** The statements that do there what this one of a migration does on one server. */
  statements(migration: string): readonly string[];
  /** Behind the name of what a statement makes or changes; empty on one server. */
  readonly everywhere: string;
  /** The table that holds the rows, as ALTER and DELETE name it. */
  changed(table: string): string;
  /** The table that holds the rows, as `system.tables` and SELECT name it. */
  holding(table: string): string;
  /** Where all rows are asked for of the table that `holding` or the migration names. */
  asked(holding: string): string;
  /** Makes an empty table named `draft` that is like `table` in all, and takes it away. */
  draft(table: string, draft: string): { readonly made: readonly string[]; readonly gone: readonly string[] };
  /** What waits until each server that holds the table's rows holds all of them. */
  settled(table: string): readonly string[];
  /** A query's `system.parts` of every server; a table's name in it is that of the one that holds the rows. */
  readonly parts: string;
}

export const ALONE: Layout = {
  statements: (migration) => [migration],
  everywhere: '',
  changed: (table) => table,
  holding: (table) => table,
  asked: (table) => table,
  draft: (table, draft) => ({
    made: [`CREATE TABLE ${draft} AS ${table}`],
    gone: [`DROP TABLE IF EXISTS ${draft} SYNC`],
  }),
  settled: () => [],
  parts: 'system.parts',
};
