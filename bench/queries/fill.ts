// Fills an empty store with a fleet's month, a stretch at a time: one insert into the base tables, of about the size of a load.

import type { EmbeddedStore } from '../../collector/store/store.ts';
import {
  BODY_DAYS,
  bodiesOf,
  bodiesSql,
  DAYS,
  entriesSql,
  policiesSql,
  type Stretch,
  spansSql,
  taskEndsSql,
  tasksOf,
} from './fleet-sql.ts';

const TOGETHER = 25_000;
const MERGES_MS_MAX = 300_000;
const SPANS_PER_ENTRY = 20;
const POLICIES = 1_000;

export interface Filled {
  readonly seconds: number;
  /** Until no merge ran any more, or MERGES_MS_MAX. */
  readonly mergeSeconds: number;
  readonly bytesOnDisk: number;
}

/** `until`: when the last span begins, seconds since 1970. */
export async function fill(store: EmbeddedStore, spans: number, until: number): Promise<Filled> {
  const began = performance.now();
  const insert = async (sqlOf: (stretch: Stretch) => string, total: number, from = 0) => {
    for (let first = from; first < total; first += TOGETHER)
      await store.command(sqlOf({ first, count: Math.min(TOGETHER, total - first), total, until }));
  };
  await insert(spansSql, spans);
  const bodies = bodiesOf(spans);
  await insert(bodiesSql, bodies, Math.floor((bodies * (DAYS - BODY_DAYS)) / DAYS));
  await insert(taskEndsSql, tasksOf(spans));
  await insert(policiesSql, POLICIES);
  await insert(entriesSql, Math.floor(spans / SPANS_PER_ENTRY));
  const filled = performance.now();
  await untilMerged(store, filled + MERGES_MS_MAX);
  const [disk] = await store.query<{ bytes: string }>(
    'SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase()',
  );
  return {
    seconds: (filled - began) / 1000,
    mergeSeconds: (performance.now() - filled) / 1000,
    bytesOnDisk: Number(disk?.bytes),
  };
}

async function untilMerged(store: EmbeddedStore, end: number): Promise<void> {
  for (let quiet = 0; quiet < 5 && performance.now() < end; ) {
    const [row] = await store.query<{ running: string }>('SELECT count() AS running FROM system.merges');
    quiet = Number(row?.running) === 0 ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
