// Where the tables of the migrations really stand. On one ClickHouse they are what their names say; on a cluster each is
// two (cluster.ts), and whoever changes a table rather than asks it must name the one that holds the rows.

export interface Layout {
  /** The statements that do there what this one of a migration does on one server. */
  statements(migration: string): readonly string[];
  /** The table that holds the rows, as ALTER and DELETE name it. */
  changed(table: string): string;
  /** The table that holds the rows, as `system.tables` and SELECT name it. */
  holding(table: string): string;
  /** A query's `system.parts` of every server; a table's name in it is that of the one that holds the rows. */
  readonly parts: string;
}

export const ALONE: Layout = {
  statements: (migration) => [migration],
  changed: (table) => table,
  holding: (table) => table,
  parts: 'system.parts',
};
