// Makes a table anew that views fill from another, with the views' own SELECT: what it counts is written down once. All of it
// is made beside the table first, then each partition takes its place at once; what has no source any more stays as it is.
// Whoever is killed midway begins again. Nothing may be loaded meanwhile. On a cluster what is asked for and filled is that
// of all shards, what takes the draft's partitions over is each shard for itself.

import type { Rebuildable } from '../../contract/rebuild.ts';
import { fillers, fillFrom } from './fillers.ts';
import { quoted } from './sql-text.ts';
import type { Store } from './store.ts';

type Asked = Pick<Store, 'query' | 'command' | 'layout'>;

export async function rebuildTable(store: Asked, table: Rebuildable): Promise<void> {
  const { layout } = store;
  const name = `${table}_rebuilt`;
  const draft = layout.draft(table, name);
  const views = (await fillers(store)).filter(({ target }) => target === table);
  await inTurn(store, [
    ...draft.gone,
    ...draft.made,
    ...views.flatMap(({ source }) => layout.settled(source)),
  ]);
  const partitions = new Set<string>();
  for (const filler of views) {
    for (const partition of await partitionsOf(store, filler.source)) {
      const rows = `SELECT * FROM ${filler.source} WHERE _partition_id = '${partition}'`;
      await fillFrom(store, name, filler, rows);
      partitions.add(partition);
    }
  }
  await inTurn(store, layout.settled(name));
  for (const partition of await partitionsOf(store, name)) partitions.add(partition);
  for (const partition of partitions) {
    await store.command(
      `ALTER TABLE ${layout.changed(table)} REPLACE PARTITION ID '${partition}' FROM ${layout.holding(name)}
       SETTINGS allow_replace_partition_from_empty_source = 1`,
    );
  }
  // Replicas may still be taking them from the draft.
  await inTurn(store, [...layout.settled(table), ...draft.gone]);
}

async function inTurn(store: Asked, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await store.command(statement);
}

/** Of all servers. */
async function partitionsOf({ query, layout }: Asked, table: string): Promise<string[]> {
  const rows = await query<{ partition: string }>(
    `SELECT DISTINCT partition_id AS partition FROM ${layout.parts}
     WHERE active AND database = currentDatabase() AND table = ${quoted(layout.holding(table))} AND rows > 0 ORDER BY partition`,
  );
  return rows.map(({ partition }) => partition);
}
