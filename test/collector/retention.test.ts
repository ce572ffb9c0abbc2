// What is past its time goes by whole partitions, and nothing else does: not what a hold keeps, not what a clock that jumped
// would have. On a real store and a real database, with a clock whose hands the test turns.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  CLOCK_AHEAD_MS_MAX,
  ClockNotBelieved,
  type Retention,
  startRetention,
} from '../../collector/retention.ts';
import { takeTimesOfLifeAway } from '../../collector/store/migrate.ts';
import { spanOf, TABLES_OF } from '../../collector/store/retention.ts';
import type { RetentionRun } from '../../contract/retention.ts';
import { silentLog } from '../../kit/log.ts';
import { manualClock } from '../support/manual-clock.ts';
import { openBench } from './control/bench.ts';
import { type OpenedStore, openTestStore } from './store/open.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const DEFAULT = { tracesDays: 30, bodiesDays: 14, auditDays: 184 };

let opened: OpenedStore;
let bench: Awaited<ReturnType<typeof openBench>>;
let clock = manualClock(NOW);
let running: Retention[] = [];
let prunedBefore: string[] = [];

beforeAll(async () => {
  opened = await openTestStore();
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
  await opened.close();
});
beforeEach(async () => {
  for (const each of running) await each.close();
  running = [];
  prunedBefore = [];
  clock = manualClock(NOW);
  await bench.database.query('truncate legal_holds, retention_clock, control_events');
  for (const table of ['otel_traces', 'otel_traces_trace_id_ts', 'otel_segments', ...TABLES_OF.audit])
    await opened.store.command(`TRUNCATE TABLE ${table}`);
});

function start(retention = DEFAULT): Retention {
  const started = startRetention({
    ...opened,
    ...bench,
    retention,
    pruneLog: async (beforeMs) => void prunedBefore.push(new Date(beforeMs).toISOString().slice(0, 10)),
    clock,
    log: silentLog,
  });
  running.push(started);
  return started;
}

const timeAt = (daysAgo: number) => `fromUnixTimestamp64Milli(${NOW - daysAgo * DAY_MS}, 'UTC')`;

async function spans(daysAgo: readonly number[], service = 'scout'): Promise<void> {
  const rows = daysAgo.map((days) => `(${timeAt(days)}, ${timeAt(0)}, 'aa', '${service}', 'chat')`);
  await opened.store.command(
    `INSERT INTO otel_traces (Timestamp, ReceivedAt, TraceId, ServiceName, SpanName) VALUES ${rows.join(', ')}`,
  );
}

async function actions(
  rows: readonly (readonly [daysAgo: number, agent: string, seq: number])[],
): Promise<void> {
  const values = rows.map(([days, agent, seq]) => `(${timeAt(days)}, '${agent}', '${agent}/host', ${seq})`);
  await opened.store.command(
    `INSERT INTO actions (timestamp, agent_id, audit_stream, audit_seq) VALUES ${values.join(', ')}`,
  );
}

/** Whole days ago, rounded down. */
async function ages(table: string, column: string): Promise<number[]> {
  const rows = await opened.store.query<{ at: string }>(
    `SELECT toUnixTimestamp64Milli(toDateTime64(${column}, 3)) AS at FROM ${table} ORDER BY at DESC`,
  );
  return rows.map(({ at }) => Math.floor((NOW - Number(at)) / DAY_MS));
}
const spanAges = () => ages('otel_traces', 'Timestamp');
const actionAges = () => ages('actions', 'timestamp');

const events = () =>
  bench.database.query<{ event: string; actor: string; details: RetentionRun }>(
    "select event, actor, details from control_events where event like 'retention_%' order by id",
  );

describe('what is past its time', () => {
  test('goes by whole days, and what is younger stays', async () => {
    await spans([0, 29, 30, 31, 60]);
    await start().run();
    // Day 30 is over at midnight only: until all of a day is past its time it stays.
    expect(await spanAges()).toEqual([0, 29, 30]);
  });

  test('goes within the hour, and each hour again', async () => {
    await spans([29, 40]);
    const retention = start();
    clock.advance(HOUR_MS);
    await retention.settled();
    expect(await spanAges()).toEqual([29]);
    clock.advance(2 * DAY_MS);
    await retention.settled();
    expect(await spanAges()).toEqual([]);
  });

  test('is another after retention was lengthened, or shortened, also for what was stored before', async () => {
    await spans([5, 25, 45]);
    await start({ ...DEFAULT, tracesDays: 60 }).run();
    expect(await spanAges()).toEqual([5, 25, 45]);
    await start({ ...DEFAULT, tracesDays: 10 }).run();
    expect(await spanAges()).toEqual([5]);
  });

  test('does not depend on a time of life that an earlier release gave its tables', async () => {
    const { store } = opened;
    await store.command('ALTER TABLE otel_traces MODIFY TTL toDateTime(Timestamp) + toIntervalDay(1)');
    await takeTimesOfLifeAway(store);
    await spans([20]);
    await store.command('OPTIMIZE TABLE otel_traces FINAL');
    expect(await spanAges()).toEqual([20]);
    const left = await store.query(
      "SELECT name FROM system.tables WHERE database = 'default' AND engine_full LIKE '% TTL %'",
    );
    expect(left).toEqual([]);
  });

  test('of audit goes by months, and never before 90 days whatever is asked', async () => {
    await actions([
      [10, 'scout', 9],
      [80, 'scout', 8],
      [150, 'scout', 2],
    ]);
    await start({ ...DEFAULT, auditDays: 1 }).run();
    expect(await actionAges()).toEqual([10, 80]);
    const [rollup] = await opened.store.query('SELECT sum(calls) AS calls FROM calls_1h');
    expect(rollup).toEqual({ calls: '2' });
  });

  test('is what came to the log before the months that are kept, and no less than a hold wants', async () => {
    const retention = start();
    await retention.run();
    const order = {
      agent: 'scout',
      from: '2026-03-17T00:00:00Z',
      until: '2026-03-20T00:00:00Z',
      reason: 'case',
    };
    const { id } = await retention.holds.add(order, 'counsel');
    await retention.run();
    await retention.holds.end(id, 'counsel', 'closed');
    await retention.holds.add({ ...order, from: null, until: null }, 'counsel');
    await retention.run();
    expect(prunedBefore).toEqual(['2026-04-30', '2026-02-28', '1969-12-31']);
  });

  test('is never a policy: every act names a digest', async () => {
    await opened.store.command(
      `INSERT INTO policy_records (timestamp, digest) VALUES (${timeAt(4000)}, 'd1')`,
    );
    await start().run();
    expect(await opened.store.query("SELECT digest FROM policy_records WHERE digest = 'd1'")).toHaveLength(1);
  });
});

describe('what goes', () => {
  test('is on record before it does: which rows, and which records of which chains', async () => {
    await actions([
      [300, 'scout', 1],
      [299, 'scout', 2],
      [299, 'scout', 4],
      [10, 'scout', 3],
      [10, 'scout', 5],
      [299, 'gone', 7],
      [10, 'young', 1],
    ]);
    await opened.store.command(
      `INSERT INTO control_event_records (timestamp, audit_stream, audit_seq) VALUES (${timeAt(300)}, 'control', 1), (${timeAt(10)}, 'control', 2)`,
    );
    await start().run();
    expect(await actionAges()).toEqual([10, 10, 10]);
    const [{ event, actor, details } = {}] = await events();
    expect({ event, actor }).toEqual({ event: 'retention_run', actor: 'collector' });
    expect(details?.streams).toEqual([
      { stream: 'gone/host', dropped: [['7', '7']], kept_from: null },
      {
        stream: 'scout/host',
        dropped: [
          ['1', '2'],
          ['4', '4'],
        ],
        kept_from: '3',
      },
      { stream: 'control', dropped: [['1', '1']], kept_from: '2' },
    ]);
    expect(details?.dropped).toContainEqual(
      expect.objectContaining({ class: 'audit', table: 'actions', partition: '202601' }),
    );
  });

  test('is nothing, and not worth a word, where nothing is old', async () => {
    await spans([1]);
    expect(await start().run()).toEqual({ dropped: [], streams: [] });
    expect(await events()).toEqual([]);
  });
});

describe('a legal hold', () => {
  const hold = { agent: '', from: null, until: null, reason: 'case 4711' };
  const iso = (daysAgo: number) => new Date(NOW - daysAgo * DAY_MS).toISOString();

  test('on the fleet keeps everything until it is ended', async () => {
    await spans([40, 50]);
    const retention = start();
    const { id } = await retention.holds.add(hold, 'counsel');
    await retention.run();
    expect(await spanAges()).toEqual([40, 50]);
    expect((await retention.state()).overdue.map(({ held_by }) => held_by)).toContainEqual([id]);
    expect(await retention.holds.end(id, 'counsel', 'settled')).toMatchObject({ ended_by: 'counsel' });
    expect(await retention.holds.end(id, 'counsel', 'settled')).toBeNull();
    await retention.run();
    expect(await spanAges()).toEqual([]);
    expect(await retention.holds.list(false)).toEqual([]);
    expect(await retention.holds.list(true)).toMatchObject([
      { id, reason: 'case 4711', end_reason: 'settled' },
    ]);
  });

  test('on a range of time keeps the days it touches, and no others', async () => {
    await spans([40, 50, 60]);
    const retention = start();
    await retention.holds.add({ ...hold, from: iso(51), until: iso(49) }, 'counsel');
    await retention.run();
    expect(await spanAges()).toEqual([50]);
  });

  test('on an agent keeps what is around its days, and no others', async () => {
    await spans([40], 'scout');
    await spans([50, 60], 'editor');
    await actions([[60, 'scout', 1]]);
    const retention = start();
    await retention.holds.add({ ...hold, agent: 'scout' }, 'counsel');
    await retention.run();
    expect(await spanAges()).toEqual([40, 60]);
  });

  test('is a control event, set and ended', async () => {
    const { holds } = start();
    const { id } = await holds.add({ ...hold, agent: 'scout' }, 'counsel');
    await holds.end(id, 'judge', 'settled');
    const noted = await bench.database.query(
      'select event, actor, agent, reason from control_events order by id',
    );
    expect(noted).toEqual([
      { event: 'legal_hold_set', actor: 'counsel', agent: 'scout', reason: 'case 4711' },
      { event: 'legal_hold_ended', actor: 'judge', agent: 'scout', reason: 'settled' },
    ]);
  });
});

describe('a clock that jumped far ahead', () => {
  test('drops nothing, says so once, and is believed again when it is right', async () => {
    await spans([1]);
    const retention = start();
    await retention.run();
    const right = clock;
    clock = manualClock(NOW + 4000 * DAY_MS);
    const jumped = start();
    await expect(jumped.run()).rejects.toBeInstanceOf(ClockNotBelieved);
    await expect(jumped.run()).rejects.toThrow('--trust-clock');
    expect((await jumped.state()).clock_believed).toBe(false);
    expect(jumped.haltedByMs()).toBe(4000 * DAY_MS);
    expect(await spanAges()).toEqual([1]);
    expect(await events()).toMatchObject([{ event: 'retention_halted' }]);
    clock = right;
    expect((await start().run()).dropped).toEqual([]);
  });

  test('is believed when somebody says that it is right, and this is on record', async () => {
    await spans([1]);
    await start().run();
    clock = manualClock(NOW + 100 * DAY_MS);
    const jumped = start();
    await expect(jumped.run()).rejects.toBeInstanceOf(ClockNotBelieved);
    await jumped.run('operator');
    expect(jumped.haltedByMs()).toBeNull();
    expect(await spanAges()).toEqual([]);
    expect(await events()).toMatchObject([
      { event: 'retention_halted' },
      { event: 'retention_run', actor: 'operator' },
    ]);
    const last_run = new Date(NOW + 100 * DAY_MS).toISOString();
    expect(await start().state()).toMatchObject({ clock_believed: true, last_run });
  });

  test('before the first run is told by what came last', async () => {
    await opened.store.command(`INSERT INTO otel_segments VALUES ('s', 1, ${timeAt(0)}, ${timeAt(0)})`);
    clock = manualClock(NOW + CLOCK_AHEAD_MS_MAX + HOUR_MS);
    await expect(start().run()).rejects.toBeInstanceOf(ClockNotBelieved);
    clock = manualClock(NOW + CLOCK_AHEAD_MS_MAX - HOUR_MS);
    await start().run();
  });
});

test('every table that is cut by time has a class, and each class only such tables', async () => {
  const tables = await opened.store.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'default' AND partition_key != '' ORDER BY name",
  );
  expect(Object.values(TABLES_OF).flat().sort()).toEqual(tables.map(({ name }) => name));
});

test.each([
  ['20261121', '2026-11-21', '2026-11-22'],
  ['20261231', '2026-12-31', '2027-01-01'],
  ['202602', '2026-02-01', '2026-03-01'],
  ['202612', '2026-12-01', '2027-01-01'],
])('partition %s is from %s to %s', (partition, from, to) => {
  expect(spanOf(partition)).toEqual({ fromMs: Date.parse(from), untilMs: Date.parse(to) });
});
