// Tables that are counted from others say, made anew, what they said before somebody broke them; and a collector that dies
// in the middle goes on with it. On a real store and a real database; on a server and on
// a cluster's shape with the store's suite.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSumsInDoubt } from '../../collector/control/sums-in-doubt.ts';
import { type Rebuilds, startRebuilds } from '../../collector/rebuild.ts';
import { rebuildTable } from '../../collector/store/rebuild.ts';
import type { Store } from '../../collector/store/store.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../contract/attributes.ts';
import { REBUILDABLE, type Rebuildable } from '../../contract/rebuild.ts';
import { silentLog } from '../../kit/log.ts';
import { manualClock } from '../support/manual-clock.ts';
import { openBench } from './control/bench.ts';
import { type OpenedStore, openAnyStore, RECEIVED_AT } from './store/open.ts';
import { requestBytes } from './store/otlp.ts';
import { ROLLUP_NAMES, rollupBothWays } from './store/rollups.ts';

const DAY = 86_400_000_000_000n;
const MINUTE_MS = 60_000;

let opened: OpenedStore<Store>;
let bench: Awaited<ReturnType<typeof openBench>>;
const clock = manualClock();
let before: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  opened = await openAnyStore();
  bench = await openBench();
  for (const at of [0, 1]) {
    const request = requestBytes({ scope: { name: SCOPE_NAME }, spans: calls(at) });
    await opened.store.load(opened.segment(`calls-${at}`, [request], 'agent-0/host'));
  }
  await endTasks();
  before = await said();
});
afterAll(async () => {
  await bench.close();
  await opened.close();
});
beforeEach(() => bench.database.query('truncate rebuilds, sums_in_doubt, control_events'));

/** Over 80 days, so that every table has several months, and one block of spans falls into two. */
function calls(at: number) {
  return Array.from({ length: 200 }, (_, number) => {
    const spanId = Buffer.alloc(8);
    spanId.writeUInt32BE(at * 1000 + number + 1, 4);
    const startUnixNano = RECEIVED_AT - (BigInt(number) * 2n * DAY) / 5n;
    return {
      traceId: Buffer.alloc(16, 1 + (number % 7)),
      spanId,
      name: 'call',
      startUnixNano,
      endUnixNano: startUnixNano + BigInt(number) * 1_000_000n,
      attributes: {
        [A.callId]: `call-${at}-${number}`,
        [A.agent]: `agent-${number % 3}`,
        [A.task]: `task-${number % 11}`,
        [A.callerAgent]: number % 2 ? 'editor' : '',
        [A.action]: number % 5 ? 'llm_inference' : 'tool_use',
        [A.upstream]: 'openai',
        [A.model]: `model-${number % 4}`,
        [A.target]: `openai/model-${number % 4}`,
        [A.status]: number % 9 ? 'success' : 'failure',
        [A.inputTokens]: number,
        [A.cost]: 1_000_000 + number,
      },
    };
  });
}

async function endTasks(): Promise<void> {
  await opened.store.command(
    `INSERT INTO control_event_records (timestamp, id, event, agent_id, details)
     SELECT now64(3) - number * 86400 * 10, number, 'task_ended', 'agent-1',
       concat('{"task":"task-', toString(number), '","state":"done"}') FROM numbers(6)`,
  );
}

/** What those say that are not compared with calls themselves (rollupBothWays). */
const QUESTIONS: Readonly<Record<string, string>> = {
  otel_traces_trace_id_ts:
    'SELECT TraceId, min(Start), max(End) FROM otel_traces_trace_id_ts GROUP BY TraceId',
  task_ends: 'SELECT * FROM task_ends',
  agent_uses:
    'SELECT agent_id, kind, name, min(first_seen), max(last_seen), sum(calls) FROM agent_uses GROUP BY agent_id, kind, name',
  tools_1h: `SELECT hour, agent_id, upstream, tool, sum(calls), sum(failures), sum(refusals), sum(cost_usd) FROM tools_1h
    GROUP BY hour, agent_id, upstream, tool`,
};

async function said(): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const [table, question] of Object.entries(QUESTIONS))
    answers[table] = await opened.store.query(`SELECT * FROM (${question}) ORDER BY ALL`);
  for (const name of ROLLUP_NAMES) answers[name] = (await rollupBothWays(opened.store, name)).kept;
  return answers;
}

async function corrupt(tables: readonly Rebuildable[]): Promise<void> {
  for (const table of tables) {
    await opened.store.command(`DELETE FROM ${opened.store.layout.changed(table)} WHERE rand() % 2`);
    await opened.store.command(`INSERT INTO ${table} SELECT * FROM ${table}`);
  }
}

function start(store: Parameters<typeof startRebuilds>[0]['store'] = opened.store): Rebuilds {
  const pipeline = {
    quiet: <T>(_patienceMs: number, act: (admit: () => void) => Promise<T>) => act(() => undefined),
  };
  const sumsInDoubt = createSumsInDoubt(bench.database, clock);
  return startRebuilds({ ...bench, sumsInDoubt, store, pipeline, clock, log: silentLog });
}

const partsOf = (table: Rebuildable) =>
  opened.store.query(
    `SELECT name FROM ${opened.store.layout.parts}
     WHERE active AND database = currentDatabase() AND table = {table:String} ORDER BY name`,
    { table: opened.store.layout.holding(table) },
  );

test('broken tables, made anew, equal what calls add up to', async () => {
  await corrupt(REBUILDABLE);
  expect(await said()).not.toEqual(before);
  const rebuilds = start();
  await rebuilds.ask(REBUILDABLE, 'operator');
  await rebuilds.settled();
  expect(await rebuilds.state()).toEqual({ left: [], in_doubt: [], failure: '' });
  for (const name of ROLLUP_NAMES) {
    const { kept, anew } = await rollupBothWays(opened.store, name);
    expect(kept).toBe(anew);
  }
  expect(await said()).toEqual(before);
  const drafts = await opened.store.query(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%\\_rebuilt%'",
  );
  expect(drafts).toEqual([]);
  const [event] = await bench.database.query('select event, actor, details from control_events');
  expect(event).toMatchObject({
    event: 'rebuild_asked',
    actor: 'operator',
    details: { tables: REBUILDABLE },
  });
  await rebuilds.close();
});

test('whoever dies in the middle leaves what is left on record, and the next life goes on with it', async () => {
  const tables = ['calls_1m', 'calls_1h'] as const;
  await corrupt(tables);
  let replaced = 0;
  const dying = {
    ...opened.store,
    async command(statement: string) {
      if (statement.includes('REPLACE PARTITION') && ++replaced > 1) throw new Error('killed');
      await opened.store.command(statement);
    },
  };
  const first = start(dying);
  await first.ask(tables, 'operator');
  await first.settled();
  expect(await first.state()).toEqual({ left: tables, in_doubt: [], failure: 'killed' });
  await first.close();
  const second = start();
  await second.settled();
  expect((await second.state()).left).toEqual([]);
  expect(await said()).toEqual(before);
  await second.close();
});

test('what failed is tried again by itself', async () => {
  let isAway = true;
  const store = {
    ...opened.store,
    async command(statement: string) {
      if (isAway) throw new Error('away');
      await opened.store.command(statement);
    },
  };
  const rebuilds = start(store);
  await rebuilds.ask(['agent_edge_calls'], 'operator');
  await rebuilds.settled();
  expect(await rebuilds.state()).toEqual({ left: ['agent_edge_calls'], in_doubt: [], failure: 'away' });
  isAway = false;
  clock.advance(MINUTE_MS);
  await rebuilds.settled();
  expect(await rebuilds.state()).toEqual({ left: [], in_doubt: [], failure: '' });
  await rebuilds.close();
});

test('sums are in doubt until they are made anew, and on record once', async () => {
  const sums = createSumsInDoubt(bench.database, clock);
  await sums.note(['calls_1h', 'calls_1m'], 'segment-1');
  await sums.note(['calls_1m'], 'segment-2');
  const rebuilds = start();
  expect((await rebuilds.state()).in_doubt).toEqual(['calls_1m', 'calls_1h']);
  await rebuilds.ask(['calls_1m'], 'operator');
  await rebuilds.settled();
  expect((await rebuilds.state()).in_doubt).toEqual(['calls_1h']);
  expect(await sums.list()).toEqual(['calls_1h']);
  expect(sums.count()).toBe(1);
  const events = await bench.database.query('select event, details from control_events order by id');
  expect(events).toEqual([
    { event: 'sums_in_doubt', details: { tables: ['calls_1h', 'calls_1m'], segment: 'segment-1' } },
    { event: 'rebuild_asked', details: { tables: ['calls_1m'] } },
    { event: 'rebuild_done', details: { table: 'calls_1m' } },
  ]);
  await rebuilds.close();
});

test('what has no source any more stays as it is', async () => {
  await opened.store.command(
    "INSERT INTO agent_edge_calls (caller_agent, agent_id, last_seen, calls) VALUES ('old', 'older', '2020-01-01 00:00:00', 5)",
  );
  await rebuildTable(opened.store, 'agent_edge_calls');
  const [row] = await opened.store.query("SELECT calls FROM agent_edges WHERE caller_agent = 'old'");
  expect(row).toEqual({ calls: '5' });
  expect((await partsOf('agent_edge_calls')).length).toBeGreaterThan(1);
});
