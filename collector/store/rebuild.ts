// Makes a table anew that views fill from another, with the views' own SELECT: what it counts is written down once. All of it
// is made beside the table first, then each partition takes its place at once; what has no source any more stays as it is.
// Whoever is killed midway begins again. Nothing may be loaded meanwhile.

import type { Rebuildable } from '../../contract/rebuild.ts';
import { quoted } from './sql-text.ts';
import type { Store } from './store.ts';

type Asked = Pick<Store, 'query' | 'command' | 'layout'>;

/** A view that fills the table: from where, and with what. */
interface Filler {
  readonly source: string;
  readonly select: string;
}

/** One core and little memory: the fleet goes on meanwhile. */
const MODEST = 'max_threads = 1, max_insert_threads = 1, max_bytes_before_external_group_by = 268435456';

export async function rebuildTable(store: Asked, table: Rebuildable): Promise<void> {
  if (store.layout.holding(table) !== table)
    throw new Error('Tables of a cluster are not made anew: run this on one ClickHouse.');
  const draft = `${table}_rebuilt`;
  await store.command(`DROP TABLE IF EXISTS ${draft} SYNC`);
  await store.command(`CREATE TABLE ${draft} AS ${table}`);
  const sources = new Set<string>();
  for (const filler of await fillersOf(store, table)) {
    for (const partition of await partitionsOf(store, filler.source)) {
      await fill(store, draft, filler, partition);
      sources.add(partition);
    }
  }
  const made = await partitionsOf(store, draft);
  for (const partition of new Set([...sources, ...made])) {
    await store.command(
      `ALTER TABLE ${table} REPLACE PARTITION ID '${partition}' FROM ${draft}
       SETTINGS allow_replace_partition_from_empty_source = 1`,
    );
  }
  await store.command(`DROP TABLE ${draft} SYNC`);
}

async function fillersOf(store: Asked, table: string): Promise<Filler[]> {
  const views = await store.query<{ select: string }>(
    `SELECT as_select AS select FROM system.tables WHERE engine = 'MaterializedView' AND database = currentDatabase()
     AND match(create_table_query, concat(' TO ', currentDatabase(), '\\\\.', {table:String}, '\\\\b')) ORDER BY name`,
    { table },
  );
  return views.map(({ select }) => ({ select, source: SOURCE.exec(select)![1]! }));
}

/** As the store writes it: the only table of the view, by its full name. */
const SOURCE = /\bFROM \w+\.(\w+)/;

async function fill(
  store: Asked,
  into: string,
  { source, select }: Filler,
  partition: string,
): Promise<void> {
  const part = `FROM (SELECT * FROM ${source} WHERE _partition_id = '${partition}') AS ${source}`;
  const rows = select.replace(SOURCE, part);
  const columns = await store.query<{ name: string }>(`DESCRIBE (${rows})`);
  // By name, as a view fills its table.
  const names = columns.map(({ name }) => `\`${name}\``).join(', ');
  await store.command(`INSERT INTO ${into} (${names}) ${rows} SETTINGS ${MODEST}`);
}

async function partitionsOf(store: Asked, table: string): Promise<string[]> {
  const rows = await store.query<{ partition: string }>(
    `SELECT DISTINCT partition_id AS partition FROM system.parts
     WHERE active AND database = currentDatabase() AND table = ${quoted(table)} AND rows > 0 ORDER BY partition`,
  );
  return rows.map(({ partition }) => partition);
}
