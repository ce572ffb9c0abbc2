// What a sidecar knows of what is left, against the real ledger: same SQL, same protocol, one clock for both.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Amounts } from '../../../contract/money.ts';
import { NOTHING } from '../../../contract/money.ts';
import type { Refusal } from '../../../contract/refusals.ts';
import { budgetReport } from '../../../sidecar/budget-report.ts';
import type { Hold } from '../../../sidecar/state/leases/hold.ts';
import { createLeases } from '../../../sidecar/state/leases/leases.ts';
import { configOf, type Fixture, ledgerOn, openBench } from '../../collector/control/bench.ts';
import { manualClock } from '../../support/manual-clock.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(() => bench.fresh());
afterAll(() => bench.close());

const DOLLAR = 1_000_000_000n;
const usd = (n: number): Amounts => ({ nanodollars: BigInt(Math.round(n * 1000)) * 1_000_000n, tokens: 10n });

const CONFIG = `
budgets: [$100/month]
agents:
  a: { role: any, budgets: [$10/month, 1000 tokens/day], task_budgets: [$4] }
  free: { role: any }
`;

async function sidecarOn(yaml = CONFIG, instance = '1') {
  const config = await configOf(yaml);
  const clock = manualClock();
  const fixture: Fixture = await ledgerOn(bench.database, config, clock);
  const line = { cut: false };
  let drawn = 0;
  const leases = createLeases({
    instance,
    money: () => config.money,
    tasksAreLimited: () => true,
    clock,
    nonce: () => `${instance}-${drawn++}`,
    ask: (request) => (line.cut ? Promise.reject(new Error('away')) : fixture.ledger.lease(request)),
    record: () => undefined,
    forget: () => undefined,
    unanswered: () => undefined,
  });
  const hold = async (agent: string, task: string, amounts: Amounts): Promise<Hold> =>
    leases.hold(agent, task, amounts);
  const report = () => budgetReport(leases.purses(), leases.unreachable(), clock.nowMs());
  return { ...fixture, leases, clock, hold, report, line };
}

describe('what is left', () => {
  test('is the tightest budget on the path, with all that is held taken as spent', async () => {
    const { hold } = await sidecarOn();
    const first = await hold('a', 't1', usd(1));
    expect(first.left()).toEqual({ nanodollars: 3n * DOLLAR, tokens: 990n }); // the task's, the agent's
    const second = await hold('a', 't1', usd(1));
    expect(second.left()).toEqual({ nanodollars: 2n * DOLLAR, tokens: 980n });
    first.settle(usd(0.25));
    expect(second.left()).toEqual({ nanodollars: 2_750_000_000n, tokens: 980n });
    second.settle(NOTHING);
  });

  test('is the same before and after the ledger was told', async () => {
    const { hold, leases } = await sidecarOn();
    (await hold('a', 't1', usd(1))).settle(usd(1));
    const before = (await hold('a', 't1', usd(1))).left();
    await leases.told('a');
    expect((await hold('a', 't1', NOTHING)).left()).toEqual(before);
  });

  test('counts what other sidecars spent, as of the last exchange', async () => {
    const { hold, leases, ask } = await sidecarOn();
    (await hold('a', 't1', usd(1))).settle(usd(1));
    const { lease } = await ask('a/other', { want: usd9(), need: usd9() });
    await ask('a/other', { lease, seq: 2, granted: usd9(), posted: usd9() });
    await leases.told('a');
    expect((await hold('a', 't2', NOTHING)).left().nanodollars).toBe(2n * DOLLAR);
  });

  test('is nothing that is known where no budget limits it', async () => {
    const { hold } = await sidecarOn('budgets: none\nagents: { free: { role: any } }');
    expect((await hold('free', 't', usd(1))).left()).toEqual({ nanodollars: null, tokens: null });
  });

  test('is never below nothing, though a call was forced', async () => {
    const { leases } = await sidecarOn('budgets: [$1/day]\nagents: { a: { role: any } }');
    const forced = leases.force('a', 't', usd(5));
    await leases.told('a');
    expect(forced.left().nanodollars).toBe(0n);
    forced.settle(usd(5));
    await leases.told('a');
    expect(leases.force('a', 't', usd(1)).left().nanodollars).toBe(0n);
  });
});

const usd9 = () => ({ nanodollars: (7n * DOLLAR).toString(), tokens: '0' });

describe('GET /v1/budget', () => {
  test('has every level of the path, and how old it is, without the collector too', async () => {
    const { hold, report, line, clock } = await sidecarOn();
    const held = await hold('a', 't1', usd(1));
    line.cut = true;
    clock.advance(90_000);
    held.settle(usd(0.5));
    const { budgets, slices, ledger } = report();
    expect(ledger).toBe('reachable'); // nothing was asked since
    expect(
      budgets.map(({ level, name, unit, limit, remaining }) => [level, name, unit, limit, remaining]),
    ).toEqual([
      ['fleet', 'test', 'nanodollars', String(100n * DOLLAR), '99500000000'],
      ['agent', 'a', 'nanodollars', String(10n * DOLLAR), '9500000000'],
      ['agent', 'a', 'tokens', '1000', '990'],
      ['task', 'a/t1', 'nanodollars', String(4n * DOLLAR), '3500000000'],
    ]);
    for (const each of budgets) expect(each).toMatchObject({ agent: 'a', age_seconds: 90, posted: '0' });
    expect(slices.map(({ scope }) => scope)).toEqual(['agent', 'task']);

    clock.advance(1_000); // it reports what was settled, in vain
    await expect.poll(() => report().ledger).toBe('unreachable');
  });

  test('goes on knowing when the lease is over and the ledger away', async () => {
    const { hold, report, line, clock } = await sidecarOn();
    (await hold('a', 't1', usd(1))).settle(usd(1));
    line.cut = true;
    clock.advance(20 * 60_000);
    const refused = hold('a', 't1', usd(1)).catch((failure: Refusal) => failure.code);
    clock.advance(3_000);
    expect(await refused).toBe('ledger_unreachable');
    const agents = report().budgets.filter(({ level, unit }) => level === 'agent' && unit === 'nanodollars');
    expect(agents).toMatchObject([{ remaining: String(9n * DOLLAR) }]);
    expect(agents[0]!.age_seconds).toBeGreaterThan(1_100);
  });
});

describe('what waits for money', () => {
  const GRACE = `money: { grace: 50% }\nbudgets: [$10/day]\nagents: { a: { role: any } }`;

  test('are tasks that were refused, by why and until when; one that gets a hold waits no more', async () => {
    const { hold, leases, clock } = await sidecarOn(GRACE);
    (await hold('a', 'early', usd(6))).settle(usd(6));
    await leases.told('a');
    await expect(hold('a', 'late', usd(1))).rejects.toMatchObject({ detail: { reason: 'grace' } });
    await expect(hold('a', 'late', usd(1))).rejects.toMatchObject({ code: 'over_budget', mayRetry: false });
    await expect(hold('a', 'early', usd(9))).rejects.toMatchObject({ detail: { reason: 'spent' } });
    expect(leases.waiting('a')).toEqual([
      {
        task: 'late',
        why: 'grace',
        calls: 2,
        level: 'fleet',
        name: 'test',
        window: 'day',
        since: new Date(clock.nowMs()).toISOString(),
        until: '2026-01-06T00:00:00.000Z',
      },
      expect.objectContaining({ task: 'early', why: 'spent', calls: 1 }),
    ]);
    (await hold('a', 'early', usd(1))).settle(NOTHING);
    expect(leases.waiting('a').map(({ task }) => task)).toEqual(['late']);
    leases.taskEnded('a', 'late');
    expect(leases.waiting('a')).toEqual([]);
  });

  test('is forgotten when the window resets', async () => {
    const { hold, leases, clock } = await sidecarOn(GRACE);
    (await hold('a', 'early', usd(10))).settle(usd(10));
    await leases.told('a');
    await expect(hold('a', 'late', usd(1))).rejects.toMatchObject({ code: 'over_budget' });
    expect(leases.waiting('a')).toHaveLength(1);
    clock.advance(24 * 3_600_000);
    expect(leases.waiting('a')).toEqual([]);
  });
});
