// After a server died in the middle of a load. A MergeTree writes down that it has a block before it has it, so one that
// is killed in between skips the block when the load comes again, and one table lacks what all others have. What the
// segment should have brought to each table is made anew beside it; rows that are not there are attached, which no view hears
// of, so nothing is counted twice.
//
//   segment ─▶ a draft of each table it fills ─▶ through the views' own SELECTs ─▶ a draft of each table behind
//              draft minus table = what is missing ─▶ ATTACH PARTITION
//
// Sums don't say whose block they hold: only making them anew mends them. Replicated tables have none of this, for Keeper
// notes block and part at once.

import { REBUILDABLE, type Rebuildable } from '../../../contract/rebuild.ts';
import { type Filler, fillers, fillFrom, MODEST } from '../fillers.ts';
import { type LoadingPorts, statementsOf } from '../load.ts';

export interface Mended {
  readonly table: string;
  readonly rows: number;
}

/** The sums that a segment's rows are counted in, however far behind. Throws as `query` does. */
export async function sumsOf(ports: LoadingPorts, segment: { id: string }): Promise<Rebuildable[]> {
  const views = await fillers(ports);
  const filled = new Set<string>();
  const follow = (table: string): void => {
    filled.add(table);
    for (const { source, target } of views) if (source === table && !filled.has(target)) follow(target);
  };
  for (const { table } of await statementsOf(ports, segment)) follow(table);
  return REBUILDABLE.filter((table) => filled.has(table));
}

/** Answers what was missing and is there now. Throws as `insert` and `query` do, and may then be run again. */
export async function mendSegment(ports: LoadingPorts, segment: { id: string }): Promise<Mended[]> {
  const beside = (table: string) => `${table}_of_${segment.id.replace(/\W/g, '_')}`;
  const views = await fillers(ports);
  const drafts = new Map<string, string>();
  const draftOf = async (table: string): Promise<string> => {
    const draft = beside(table);
    if (!drafts.has(table)) await emptyLike(ports, table, draft);
    drafts.set(table, draft);
    return draft;
  };
  try {
    for (const { table, insert } of await statementsOf(ports, segment)) {
      const draft = await draftOf(table);
      await ports.insert(insert.replace(`INSERT INTO ${table} `, `INSERT INTO ${draft} `));
      await throughViews(ports, views, table, draftOf);
    }
    const mended: Mended[] = [];
    for (const [table, draft] of drafts) {
      const rows = await attachMissing(ports, table, draft);
      if (rows > 0) mended.push({ table, rows });
    }
    return mended;
  } finally {
    for (const draft of drafts.values()) await dropped(ports, draft);
  }
}

/** Into the tables that keep a row for each thing; those behind them are sums. */
async function throughViews(
  ports: LoadingPorts,
  views: readonly Filler[],
  from: string,
  draftOf: (table: string) => Promise<string>,
): Promise<void> {
  for (const view of views.filter(({ source, target }) => source === from && !isSum(target))) {
    await fillFrom(ports, await draftOf(view.target), view, `SELECT * FROM ${await draftOf(from)}`);
    await throughViews(ports, views, view.target, draftOf);
  }
}

const isSum = (table: string): boolean => REBUILDABLE.some((name) => name === table);

/** Answers how many rows were. */
async function attachMissing(ports: LoadingPorts, table: string, draft: string): Promise<number> {
  const missing = `${draft}_missing`;
  await emptyLike(ports, table, missing);
  const key = await sortingKey(ports, table);
  // When it was loaded is the one thing that is another each time. As a tuple: a hash of a NULL would be NULL.
  const row = 'cityHash64(tuple(* EXCEPT loaded_at))';
  // By the key first: the table may be large, and its index finds these.
  await ports.command(
    `INSERT INTO ${missing} SELECT * FROM ${draft} WHERE ${row} NOT IN (
       SELECT ${row} FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${draft})) SETTINGS ${MODEST}`,
  );
  const partitions = await ports.query<{ partition: string; attached: string }>(
    `SELECT partition_id AS partition, sum(rows) AS attached FROM system.parts
     WHERE active AND database = currentDatabase() AND table = {table:String} AND rows > 0 GROUP BY partition`,
    { table: missing },
  );
  for (const { partition } of partitions)
    await ports.command(`ALTER TABLE ${table} ATTACH PARTITION ID '${partition}' FROM ${missing}`);
  await dropped(ports, missing);
  return partitions.reduce((sum, { attached }) => sum + Number(attached), 0);
}

async function sortingKey(ports: LoadingPorts, table: string): Promise<string> {
  const [row] = await ports.query<{ key: string }>(
    'SELECT sorting_key AS key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    { table },
  );
  return row!.key;
}

async function emptyLike(ports: LoadingPorts, table: string, name: string): Promise<void> {
  await dropped(ports, name); // whoever was killed in the middle left it
  await ports.command(`CREATE TABLE ${name} AS ${table}`);
}

const dropped = (ports: LoadingPorts, name: string): Promise<void> =>
  ports.command(`DROP TABLE IF EXISTS ${name} SYNC`);
