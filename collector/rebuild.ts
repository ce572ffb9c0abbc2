// Makes counted tables anew, one after the other, while everything else goes on: requests wait in the queue for as long as
// one of them takes. What is left to do is on record, so that a collector that was killed goes on with it.

import { REBUILDABLE, type Rebuildable, type RebuildState } from '../contract/rebuild.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { Database } from './control/database.ts';
import type { SumsInDoubt } from './control/sums-in-doubt.ts';
import type { Pipeline } from './pipeline.ts';
import { rebuildTable } from './store/rebuild.ts';
import type { Store } from './store/store.ts';

export interface Rebuilds {
  /** Begins, or adds to what is left. `by` is who asked. */
  ask(tables: readonly Rebuildable[], by: string): Promise<RebuildState>;
  state(): Promise<RebuildState>;
  /** Resolves once nothing goes on: all is done, or a try failed and waits for the next. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface RebuildsOptions {
  readonly database: Database;
  readonly store: Pick<Store, 'query' | 'command' | 'layout' | 'server'>;
  readonly sumsInDoubt: Pick<SumsInDoubt, 'list'>;
  readonly pipeline: Pick<Pipeline, 'quiet'>;
  readonly clock: Clock;
  readonly log: Log;
}

const SETTLE_MS = 30_000;
const AGAIN_MS = 60_000;

export function startRebuilds(options: RebuildsOptions): Rebuilds {
  const { database, sumsInDoubt, clock, log } = options;
  let running: Promise<void> | null = null;
  let cancel: () => void = () => undefined;
  let closed = false;
  let failure = '';

  async function work(): Promise<void> {
    try {
      for (let [next] = await tablesLeft(database); next && !closed; [next] = await tablesLeft(database)) {
        await rebuildOne(options, next);
      }
    } catch (thrown) {
      failure = sentenceOf(thrown);
      log.warn('rebuild.failed', { failure, next_in_ms: AGAIN_MS });
      if (!closed) cancel = clock.after(AGAIN_MS, go);
    }
  }

  function go(): void {
    cancel();
    if (running !== null) return;
    failure = '';
    running = work().finally(() => {
      running = null;
    });
  }

  const state = async (): Promise<RebuildState> => ({
    left: await tablesLeft(database),
    in_doubt: await sumsInDoubt.list(),
    failure,
  });
  go();

  return {
    async ask(tables, by) {
      await noteAsked(database, tables, by, clock.nowMs());
      // One that was about to end may not have seen these.
      await running;
      go();
      return state();
    },
    state,
    async settled() {
      await running;
    },
    async close() {
      closed = true;
      cancel();
      await running;
    },
  };
}

async function rebuildOne(options: RebuildsOptions, table: Rebuildable): Promise<void> {
  const { pipeline, store, database, clock, log } = options;
  // A collector that starts meanwhile waits before it brings tables forward, and so before it loads.
  await database.alone(async () => {
    if (store.server !== null) await refuseCompany(database);
    await pipeline.quiet(SETTLE_MS, async (admit) => {
      admit();
      await rebuildTable(store, table);
      // Before anything else is loaded, and may be in doubt.
      await database.query('select table_rebuilt($1, $2)', [table, clock.nowMs()]);
    });
  });
  log.info('rebuild.done', { table });
}

/** What others load while a table is counted would be counted twice or not at all. */
async function refuseCompany(database: Database): Promise<void> {
  const others = await database.others();
  if (others > 0)
    throw new Error(
      `${others} more of the fleet's collectors load into these tables: stop them until all is made anew.`,
    );
}

async function tablesLeft(database: Database): Promise<Rebuildable[]> {
  const rows = await database.query<{ table_name: string }>('select table_name from rebuilds order by place');
  return REBUILDABLE.filter((table) => rows.some(({ table_name }) => table_name === table));
}

async function noteAsked(database: Database, tables: readonly Rebuildable[], by: string, nowMs: number) {
  await database.query(
    `with asked as (
       insert into rebuilds (place, table_name, actor, asked_at)
       select place, name, $2, $3 from unnest($1::text[], $4::integer[]) as t (name, place)
       on conflict (place) do nothing
     ) select note_event('rebuild_asked', $2, '', '', jsonb_build_object('tables', to_jsonb($1::text[])), $3)`,
    [tables, by, nowMs, tables.map((table) => REBUILDABLE.indexOf(table))],
  );
}
