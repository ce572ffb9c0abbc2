// BUD-22: a ledger restored from a backup does not know what it granted since.

import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  endLearning,
  type LearningOptions,
  learnIfRestored,
  markRestored,
} from '../../../collector/control/learning.ts';
import { silentLog } from '../../../kit/log.ts';
import { temporaryDirectory } from '../../support/processes.ts';
import { configOf, dollars, type Fixture, invariantBreaches, ledgerOn, openBench, usd } from './bench.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
let fixture: Fixture;
let options: LearningOptions;
const own = temporaryDirectory('outrider-restored');
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(async () => {
  await bench.fresh();
  const config = await configOf('budgets: [$10/day]\nagents: { a: { role: any }, b: { role: any } }');
  fixture = await ledgerOn(bench.database, config);
  options = { database: bench.database, config: () => config, clock: fixture.clock, log: silentLog };
  mkdirSync(own, { recursive: true });
});
afterAll(() => bench.close());

const LOST = { lease: 'lse_granted_since', seq: 7, granted: usd(6), posted: usd(2), held: usd(1) };
const fleet = async () => (await fixture.ledger.budgets())[0];

test('grants nothing until leases of before have expired, and takes what their holders report for true', async () => {
  const { ask, clock } = fixture;
  markRestored(own);
  await learnIfRestored(options, own);
  expect(await ask('b/1', { want: usd(1), need: usd(1) })).toMatchObject({
    outcome: 'held',
    obstacle: { level: 'fleet', held: dollars(10) },
  });

  expect(await ask('a/1', LOST)).toMatchObject({ outcome: 'granted', granted: { nanodollars: dollars(6) } });
  expect(await fleet()).toMatchObject({ posted: dollars(2), held: dollars(4) });
  await ask('a/1', { ...LOST, seq: 8, granted: usd(8), posted: usd(3) });
  expect(await fleet()).toMatchObject({ posted: dollars(3), held: dollars(5) });
  await ask('a/1', { ...LOST, seq: 9, granted: usd(8), posted: usd(3), want: usd(1), need: usd(1) });
  expect(await fleet()).toMatchObject({ posted: dollars(3), held: dollars(5) });
  expect((await ask('b/1', { lease: 'lse_granted_since', seq: 1, posted: usd(1) })).outcome).toBe('stale');

  clock.advance(15 * 60_000);
  await learnIfRestored(options, own);
  expect((await ask('b/1', { want: usd(2), need: usd(2) })).outcome).toBe('granted');
  expect((await ask('b/1', { want: usd(2), need: usd(2) })).outcome).toBe('held');
  expect(await invariantBreaches(bench.database)).toEqual([]);
});

test('more than the limit reported is true all the same, and ending it early is on record', async () => {
  const { ask } = fixture;
  markRestored(own);
  await learnIfRestored(options, own);
  await ask('a/1', { ...LOST, granted: usd(12), posted: usd(11), held: usd(0) });
  await endLearning(options, 'anna', 'nobody else lives');
  expect(await fleet()).toMatchObject({ posted: dollars(11), held: dollars(1) });
  expect(await ask('b/1', { want: usd(1), need: usd(1) })).toMatchObject({ outcome: 'over_budget' });
  const noted = await bench.database.query(
    `select actor, reason from control_events where event = 'budget_learning' order by id`,
  );
  expect(noted).toEqual([
    { actor: 'collector', reason: 'restored from a backup' },
    { actor: 'anna', reason: 'nobody else lives' },
  ]);
  expect(await invariantBreaches(bench.database)).toEqual([]);
});
