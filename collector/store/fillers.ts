// The views that fill tables as rows come, and their SELECTs asked once more of other rows: what a table should hold is
// written down in one place, the view.

import type { Store } from './store.ts';

type Asked = Pick<Store, 'query' | 'command' | 'layout'>;

export interface Filler {
  /** The table it fills, as the migrations name it. */
  readonly target: string;
  /** The table whose rows fill it, likewise. */
  readonly source: string;
  readonly select: string;
}

export async function fillers({ query, layout }: Asked): Promise<Filler[]> {
  const views = await query<{ target: string; select: string }>(
    `SELECT extract(create_table_query, concat(' TO ', currentDatabase(), '\\\\.(\\\\w+)')) AS target, as_select AS select
     FROM system.tables WHERE engine = 'MaterializedView' AND database = currentDatabase() ORDER BY name`,
  );
  return views.map(({ target, select }) => ({
    target: layout.asked(target),
    source: layout.asked(SOURCE.exec(select)![1]!),
    select,
  }));
}

/** As the store writes it: the only table of the view, by its full name, and on a cluster by that of what it forwards to. */
const SOURCE = /\bFROM \w+\.(\w+)(?: AS \w+)?/;

/** One core and little memory: the fleet goes on meanwhile. Whatever is alike here was alike before: nothing comes twice. */
export const MODEST =
  "max_threads = 1, max_insert_threads = 1, max_bytes_before_external_group_by = 268435456, deduplicate_insert = 'disable'";

/** Fills a table as the view would, from the rows that `from`, a SELECT, answers. */
export async function fillFrom(
  store: Asked,
  into: string,
  { source, select }: Filler,
  from: string,
): Promise<void> {
  const rows = select.replace(SOURCE, `FROM (${from}) AS ${source}`);
  const columns = await store.query<{ name: string }>(`DESCRIBE (${rows})`);
  // By name, as a view fills its table.
  const names = columns.map(({ name }) => `\`${name}\``).join(', ');
  await store.command(`INSERT INTO ${into} (${names}) ${rows} SETTINGS ${MODEST}`);
}
