// Modes put in force for a while: on a real database, with a clock whose hands the test turns.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Modes, openModes } from '../../../collector/control/modes.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/processes.ts';
import { configOf, type Database, openBench } from './bench.ts';

const HOUR_MS = 3_600_000;
const CONFIG = await configOf('agents: { scout: { role: any }, pr-*: { role: any, mode: observe } }');
const ORDER = { agent: 'scout', mode: 'observe', for_ms: HOUR_MS, reason: 'new API' } as const;

let bench: Awaited<ReturnType<typeof openBench>>;
let database: Database;
let clock = manualClock();
let changes = 0;
const opened: Modes[] = [];

beforeAll(async () => {
  bench = await openBench();
  database = bench.database;
});
afterAll(() => bench.close());
beforeEach(async () => {
  for (const modes of opened.splice(0)) modes.close();
  await database.query('truncate modes, control_events');
  clock = manualClock();
  changes = 0;
});

async function open(): Promise<Modes> {
  const changed = () => {
    changes += 1;
  };
  const modes = await openModes({ database, config: () => CONFIG, clock, log: silentLog, changed });
  opened.push(modes);
  return modes;
}

const events = () =>
  database.query<{ event: string; actor: string; agent: string; reason: string; details: unknown }>(
    'select event, actor, agent, reason, details from control_events order by id',
  );

describe('a mode put in force', () => {
  test('holds, is listed beside what the config says, and is on record', async () => {
    const modes = await open();
    const line = await modes.set(ORDER, 'ops');
    const until = new Date(clock.nowMs() + HOUR_MS).toISOString();
    expect(line).toEqual({
      agent: 'scout',
      mode: 'observe',
      configured: 'enforce',
      since: new Date(clock.nowMs()).toISOString(),
      until,
      actor: 'ops',
      reason: ORDER.reason,
    });
    expect(modes.lines()).toEqual([line]);
    clock.advance(1000);
    expect(modes.inForce('scout')).toEqual({ mode: 'observe', ms_left: HOUR_MS - 1000 });
    expect(modes.inForce('other')).toBe(null);
    expect(await events()).toEqual([
      {
        event: 'mode_changed',
        actor: 'ops',
        agent: 'scout',
        reason: 'new API',
        details: { mode: 'observe', configured: 'enforce', until },
      },
    ]);
    expect(changes).toBe(1);
  });

  test('of an entry with a star rules every agent of it, but for one with an order of its own', async () => {
    const modes = await open();
    await modes.set({ ...ORDER, agent: 'pr-*', mode: 'enforce', for_ms: null }, 'ops');
    await modes.set({ ...ORDER, agent: 'pr-7' }, 'ops');
    expect(modes.inForce('pr-1')).toEqual({ mode: 'enforce', ms_left: null });
    expect(modes.inForce('pr-7')).toEqual({ mode: 'observe', ms_left: HOUR_MS });
    expect(modes.inForce('scout')).toBe(null);
    expect(modes.lines().map(({ configured }) => configured)).toEqual(['observe', 'observe']);
  });

  test('is restored by hand once', async () => {
    const modes = await open();
    await modes.set(ORDER, 'ops');
    expect(await modes.restore('scout', 'lee')).toBe(true);
    expect(await modes.restore('scout', 'lee')).toBe(false);
    expect(modes.inForce('scout')).toBe(null);
    expect((await events()).map(({ event, actor }) => [event, actor])).toEqual([
      ['mode_changed', 'ops'],
      ['mode_restored', 'lee'],
    ]);
  });

  test('ends by itself, noted once', async () => {
    const modes = await open();
    await modes.set(ORDER, 'ops');
    clock.advance(HOUR_MS);
    expect(modes.inForce('scout')).toBe(null);
    expect(modes.lines()).toEqual([]);
    const noted = await until(events, (rows) => rows.length > 1);
    expect(noted[1]).toEqual({
      event: 'mode_restored',
      actor: 'collector',
      agent: 'scout',
      reason: 'its time is over',
      details: { from: 'observe' },
    });
    expect(changes).toBe(2);
  });

  test('outlives a restart, and ends during one', async () => {
    await (await open()).set(ORDER, 'ops');
    opened.splice(0)[0]!.close();
    clock.advance(HOUR_MS / 2);
    const again = await open();
    expect(again.inForce('scout')).toEqual({ mode: 'observe', ms_left: HOUR_MS / 2 });
    opened.splice(0)[0]!.close();
    clock.advance(HOUR_MS);
    expect((await open()).inForce('scout')).toBe(null);
    clock.advance(0);
    await until(events, (rows) => rows.length === 2);
  });

  test('follows the latest order', async () => {
    const modes = await open();
    await modes.set(ORDER, 'ops');
    await modes.set({ ...ORDER, for_ms: 2 * HOUR_MS, reason: 'longer' }, 'lee');
    clock.advance(1.5 * HOUR_MS);
    expect(modes.inForce('scout')).toEqual({ mode: 'observe', ms_left: HOUR_MS / 2 });
    expect((await events()).map(({ event }) => event)).toEqual(['mode_changed', 'mode_changed']);
  });
});

test('the database keeps no order to observe without an end', async () => {
  const set = database.query("select set_mode('scout', 'observe', null, 'ops', 'why', '{}', 0)");
  await expect(set).rejects.toThrow();
  expect(await events()).toEqual([]);
});
