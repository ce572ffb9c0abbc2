// What a sidecar has when the ledger goes away: its share, though others came first, and its offline slice, whole.

import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Config } from '../../../contract/config/config.ts';
import { createLeases, type Leases } from '../../../sidecar/state/leases/leases.ts';
import {
  configOf,
  DOLLAR,
  type Fixture,
  invariantBreaches,
  ledgerOn,
  openBench,
} from '../../collector/control/bench.ts';

const ONE = { nanodollars: DOLLAR, tokens: 0n };
const TWO_ROUND_TRIPS = 2;

const bench = await openBench();
afterAll(() => bench.close());
beforeEach(() => bench.fresh());

let fixture: Fixture;
let away = false;
const sidecars: { readonly instance: string; readonly leases: Leases }[] = [];

async function fleetOf(config: Config, ...instances: string[]): Promise<Leases[]> {
  fixture = await ledgerOn(bench.database, config);
  const { ledger, clock } = fixture;
  away = false;
  sidecars.length = 0;
  for (const instance of instances) {
    let drawn = 0;
    const leases = createLeases({
      instance,
      money: () => config.money,
      tasksAreLimited: (agent) => (config.agents.get(agent)?.taskBudgets.length ?? 0) > 0,
      clock,
      nonce: () => `${instance}-${drawn++}`,
      ask: (request) => (away ? Promise.reject(new Error('away')) : ledger.lease(request)),
      record: () => undefined,
      forget: () => undefined,
      unanswered: () => undefined,
    });
    leases.warm('a');
    await leases.told('a');
    sidecars.push({ instance, leases });
  }
  return sidecars.map(({ leases }) => leases);
}

/** To where leases are renewed; every sidecar is alive meanwhile. */
async function renewal(): Promise<void> {
  const { clock, roster } = fixture;
  clock.advance(7.5 * 60_000 - 10_000);
  for (const { instance } of sidecars) roster.seen('a', instance);
  clock.advance(11_000);
  for (let trip = 0; trip < TWO_ROUND_TRIPS; trip++)
    for (const { leases } of sidecars) await leases.told('a');
}

const unspent = (leases: Leases, scope: string): bigint =>
  [...leases.purses()]
    .filter((purse) => purse.scope === scope && purse.agent === 'a')
    .reduce((sum, { granted, posted }) => sum + granted.nanodollars - posted.nanodollars, 0n);

test('who came first to a fleet of one gives back at the renewal what is above its share among four', async () => {
  const config = await configOf('agents: { a: { role: any, budgets: [$80/month] } }');
  const [first] = await fleetOf(config, '1', '2', '3', '4');
  expect(unspent(first!, 'agent')).toBe(40n * DOLLAR);
  await renewal();
  await renewal();
  for (const { leases } of sidecars) expect(unspent(leases, 'agent')).toBeLessThanOrEqual(10n * DOLLAR);
  expect(await invariantBreaches(bench.database)).toEqual([]);
});

test('what a call holds is kept, though it is more than the share', async () => {
  const config = await configOf('agents: { a: { role: any, budgets: [$80/month] } }');
  const [first] = await fleetOf(config, '1', '2', '3', '4');
  const held = await first!.hold('a', 't', { nanodollars: 30n * DOLLAR, tokens: 0n });
  await renewal();
  await renewal();
  expect(unspent(first!, 'agent')).toBe(30n * DOLLAR);
  held.settle(ONE);
  expect(await invariantBreaches(bench.database)).toEqual([]);
});

test('an offline slice that found little left is filled up at a renewal', async () => {
  const config = await configOf(
    'money: { offline: $5 }\nagents: { a: { role: any, budgets: [$200/month] } }',
  );
  const leases = await fleetOf(config, ...'12345678');
  expect(unspent(leases.at(-1)!, 'offline')).toBeLessThan(5n * DOLLAR);
  for (let i = 0; i < 3; i++) await renewal();
  for (const each of leases) expect(unspent(each, 'offline')).toBe(5n * DOLLAR);
  expect(await invariantBreaches(bench.database)).toEqual([]);
});

test('while the ledger is away a task may begin, unless tasks have budgets of their own', async () => {
  const agents = (budgets: string) =>
    `money: { offline: $5, hold_wait: 1s }\nagents: { a: { role: any, budgets: [$80/month]${budgets} } }`;
  const [free] = await fleetOf(await configOf(agents('')), '1');
  away = true;
  const begun = await free!.hold('a', 'new', ONE);
  begun.settle(ONE);
  away = false;
  fixture.clock.advance(6_000);
  await free!.told('a');
  expect((await fixture.ledger.budgets())[0]).toMatchObject({ posted: String(DOLLAR) });

  await bench.fresh();
  const [limited] = await fleetOf(await configOf(agents(', task_budgets: [$10]')), '1');
  away = true;
  const refused = expect(limited!.hold('a', 'new', ONE)).rejects.toMatchObject({
    code: 'ledger_unreachable',
  });
  fixture.clock.advance(1_500);
  await refused;
  expect(await invariantBreaches(bench.database)).toEqual([]);
});
