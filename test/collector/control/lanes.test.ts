// Whoever stops an agent, or waits for money, is answered before what a whole fleet says of itself.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLanes } from '../../../collector/control/lanes.ts';
import { createPolicies } from '../../../collector/control/policies.ts';
import { openQuarantines } from '../../../collector/control/quarantines.ts';
import { openRoster } from '../../../collector/control/roster.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { configOf, type Database, ledgerOn, openBench, usd } from './bench.ts';

const FLEET = 2_000;

let bench: Awaited<ReturnType<typeof openBench>>;
let database: Database;
beforeAll(async () => {
  bench = await openBench();
  database = bench.database;
});
beforeEach(async () => {
  await bench.fresh();
  await database.query('truncate quarantines, policies, policies_in_force');
});
afterAll(() => bench.close());

const beat = (instance: number, mode = 'enforce') => ({
  name: 'scout',
  instance: `host-${instance}`,
  mode: mode as 'enforce',
  health: 'ok' as const,
  policy: 'p',
});

/** Starts `FLEET` of them at once; how many are done is counted. */
function crowd(one: (index: number) => Promise<unknown>) {
  const done = { count: 0 };
  const all = Promise.all(
    Array.from({ length: FLEET }, (_, index) =>
      one(index).then(() => {
        done.count += 1;
      }),
    ),
  );
  return { done, all };
}

test('an order goes before money, money before the rest; in a lane it is first come, first served', () => {
  const lanes = createLanes<string>();
  lanes.put('rest', 'beat 1');
  lanes.put('money', 'lease 1');
  lanes.put('rest', 'beat 2');
  lanes.put('order', 'stop');
  lanes.put('money', 'lease 2');
  expect(lanes.size()).toBe(5);
  const taken = Array.from({ length: 6 }, () => lanes.take());
  expect(taken).toEqual(['stop', 'lease 1', 'lease 2', 'beat 1', 'beat 2', undefined]);
});

test('a quarantine and a lease are answered before thousands of heartbeats that came earlier', async () => {
  const clock = manualClock();
  const quarantines = await openQuarantines({ database, clock, log: silentLog, changed: () => undefined });
  const config = await configOf('budgets: [$100/month]\nagents: { scout: { role: any } }');
  const { ask } = await ledgerOn(database, config, clock);
  const { done, all } = crowd((index) =>
    database.query(
      "insert into instances values ('scout', $1, 'enforce', 'ok', 'p', 1) on conflict do nothing",
      [String(index)],
    ),
  );
  const order = { subject: 'agent/scout', reason: 'runs wild', for_ms: null };
  const [line, lease] = await Promise.all([
    quarantines.set(order, 'ops', 'person'),
    ask('scout/1', { want: usd(1), need: usd(1) }),
  ]);
  expect([line?.subject, lease.outcome]).toEqual(['agent/scout', 'granted']);
  expect(done.count).toBeLessThan(FLEET / 2);
  await all;
  quarantines.close();
});

test('a fleet that starts is a few statements: its heartbeats and its policy, each kept', async () => {
  const clock = manualClock();
  let statements = 0;
  const counting: Database = {
    ...database,
    query(...asked: Parameters<Database['query']>) {
      statements += 1;
      return database.query(...asked);
    },
  } as Database;
  const roster = await openRoster(counting, clock);
  const policies = createPolicies(counting, clock);
  const sources = [{ file: 'outrider.yaml', text: 'fleet: test' }];
  const report = { digest: 'd', agent: 'scout', loaded_at: 1, by: 'ops', sources };
  await Promise.all([
    crowd((index) => roster.heartbeat(beat(index))).all,
    crowd((index) => policies.note({ ...report, instance: `host-${index}` }, 'test')).all,
  ]);
  expect(statements).toBeLessThan(FLEET / 10);
  expect(await database.query('select count(*)::int as kept from instances')).toEqual([{ kept: FLEET }]);
  const texts = "select count(*)::int as n from control_events where details ? 'sources'";
  expect(await database.query(texts)).toEqual([{ n: 1 }]);
  const inForce = "select count(*)::int as n from policies_in_force where digest = 'd'";
  expect(await database.query(inForce)).toEqual([{ n: FLEET }]);
});

test('of two heartbeats of one instance that are kept together the later holds', async () => {
  const roster = await openRoster(database, manualClock());
  await Promise.all([
    roster.heartbeat(beat(1)),
    roster.heartbeat(beat(2)),
    roster.heartbeat(beat(2, 'observe')),
  ]);
  const kept = 'select instance, mode from instances order by instance';
  expect(await database.query(kept)).toEqual([
    { instance: 'host-1', mode: 'enforce' },
    { instance: 'host-2', mode: 'observe' },
  ]);
});

test('where all is full a person still gets through', async () => {
  const filled = Array.from({ length: 10_000 }, () => database.query('select 1'));
  await expect(database.query('select 1')).rejects.toThrow('Too much waits');
  expect(await database.query('select 2 as two', [], 'order')).toEqual([{ two: 2 }]);
  await Promise.all(filled);
});
