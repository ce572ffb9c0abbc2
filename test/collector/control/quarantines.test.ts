// What is held apart: on a real database, with a clock whose hands the test turns.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openQuarantines, type Quarantines } from '../../../collector/control/quarantines.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/processes.ts';
import { type Database, openBench } from './bench.ts';

const HOUR_MS = 3_600_000;
const ORDER = { subject: 'task/scout/t/1', reason: 'posts rubbish', for_ms: HOUR_MS } as const;

let bench: Awaited<ReturnType<typeof openBench>>;
let database: Database;
let clock = manualClock();
let changes = 0;
const opened: Quarantines[] = [];

beforeAll(async () => {
  bench = await openBench();
  database = bench.database;
});
afterAll(() => bench.close());
beforeEach(async () => {
  for (const quarantines of opened.splice(0)) quarantines.close();
  await database.query('truncate quarantines, control_events');
  clock = manualClock();
  changes = 0;
});

async function open(): Promise<Quarantines> {
  const changed = () => {
    changes += 1;
  };
  const quarantines = await openQuarantines({ database, clock, log: silentLog, changed });
  opened.push(quarantines);
  return quarantines;
}

const events = () =>
  database.query<{ event: string; actor: string; agent: string; reason: string; details: object }>(
    'select event, actor, agent, reason, details from control_events order by id',
  );

describe('what is put in quarantine', () => {
  test('is listed with how long it lasts yet, and on record', async () => {
    const quarantines = await open();
    const before = quarantines.revision();
    await quarantines.set(ORDER, 'ops', 'person');
    clock.advance(1000);
    const until = new Date(clock.nowMs() - 1000 + HOUR_MS).toISOString();
    const since = new Date(clock.nowMs() - 1000).toISOString();
    const { reason } = ORDER;
    expect(quarantines.lines()).toEqual([
      {
        subject: 'task/scout/t/1',
        kind: 'task',
        reason,
        since,
        until,
        ms_left: HOUR_MS - 1000,
        actor: 'ops',
        by: 'person',
      },
    ]);
    expect(await events()).toEqual([
      {
        event: 'quarantine_set',
        actor: 'ops',
        agent: 'scout',
        reason: 'posts rubbish',
        details: { subject: 'task/scout/t/1', kind: 'task', until, by: 'person' },
      },
    ]);
    expect([changes, quarantines.revision() > before]).toEqual([1, true]);
  });

  test('is lifted once, by whom and why; the revision grows though no line is left', async () => {
    const quarantines = await open();
    await quarantines.set({ ...ORDER, subject: 'fleet', for_ms: null }, 'ops', 'person');
    const before = quarantines.revision();
    expect(await quarantines.lift('fleet', 'lee', 'all is well')).toBe(true);
    expect(await quarantines.lift('fleet', 'lee', 'all is well')).toBe(false);
    expect([quarantines.lines(), quarantines.revision() > before]).toEqual([[], true]);
    expect((await events())[1]).toEqual({
      event: 'quarantine_lifted',
      actor: 'lee',
      agent: '',
      reason: 'all is well',
      details: {
        subject: 'fleet',
        kind: 'fleet',
        by: 'person',
        set_for: 'posts rubbish',
        set_actor: 'ops',
        set_at: clock.nowMs(),
      },
    });
  });

  test('ends by itself, noted once', async () => {
    const quarantines = await open();
    await quarantines.set(ORDER, 'ops', 'person');
    clock.advance(HOUR_MS);
    expect(quarantines.lines()).toEqual([]);
    const noted = await until(events, (rows) => rows.length > 1);
    expect(noted[1]).toEqual({
      event: 'quarantine_expired',
      actor: 'collector',
      agent: 'scout',
      reason: 'its time is over',
      details: {
        subject: 'task/scout/t/1',
        kind: 'task',
        by: 'person',
        set_for: 'posts rubbish',
        set_actor: 'ops',
        set_at: clock.nowMs() - HOUR_MS,
      },
    });
    await until(
      async () => changes,
      (count) => count === 2,
    );
  });

  test('outlives a restart with its revision, and ends during one', async () => {
    const first = await open();
    await first.set(ORDER, 'ops', 'person');
    opened.splice(0)[0]!.close();
    clock.advance(HOUR_MS / 2);
    const again = await open();
    expect(again.lines()).toEqual(first.lines().map((line) => ({ ...line, ms_left: HOUR_MS / 2 })));
    expect(again.lines()).toHaveLength(1);
    expect(again.revision()).toBe(first.revision());
    opened.splice(0)[0]!.close();
    clock.advance(HOUR_MS);
    expect((await open()).lines()).toEqual([]);
    clock.advance(0);
    await until(events, (rows) => rows.length === 2);
  });

  test('follows the latest order of a person; a rule changes nothing of it', async () => {
    const quarantines = await open();
    await quarantines.set(ORDER, 'ops', 'person');
    expect(await quarantines.set({ ...ORDER, for_ms: 1000 }, 'degraded.loop', 'rule')).toBe(null);
    await quarantines.set({ ...ORDER, for_ms: null, reason: 'longer' }, 'lee', 'person');
    expect(quarantines.lines()).toMatchObject([
      { until: null, reason: 'longer', actor: 'lee', by: 'person' },
    ]);
    expect((await events()).map(({ actor }) => actor)).toEqual(['ops', 'lee']);
  });
});

test('the database keeps nothing that a rule set without an end', async () => {
  const set = database.query("select set_quarantine('agent/a', 'a', 'why', null, 'r', 'rule', '{}', 0)");
  await expect(set).rejects.toThrow();
  expect(await events()).toEqual([]);
});
