import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NothingToRaise, openRaises, type Raises } from '../../../collector/control/raises.ts';
import type { Recall } from '../../../contract/budget.ts';
import type { Config } from '../../../contract/config/config.ts';
import type { RaiseOrder } from '../../../contract/raise.ts';
import { silentLog } from '../../../kit/log.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { configOf, dollars, invariantBreaches, ledgerOn, openBench, usd } from './bench.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
const opened: Raises[] = [];
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(() => bench.fresh());
afterAll(async () => {
  for (const raises of opened) raises.close();
  await bench.close();
});

const HOUR_MS = 3_600_000;
const FLEET = `
budgets: [$100/month]
departments: { lab: { budgets: [$80/month] } }
agents:
  a: { role: any, department: lab, budgets: [$10/month, $5/day, 1000 tokens/day], task_budgets: [$2] }
  bot-*: { role: any, budgets: [$1/month] }
`;

async function raisesOn(config: Config, clock: ManualClock) {
  const recalls: Recall[] = [];
  const raises = await openRaises({
    database: bench.database,
    config: () => config,
    clock,
    log: silentLog,
    onRecall: (recall) => recalls.push(recall),
  });
  opened.push(raises);
  return { raises, recalls };
}

const order = (of: Partial<RaiseOrder> = {}): RaiseOrder => ({
  level: 'agent',
  name: 'a',
  unit: 'nanodollars',
  window: 'day',
  amount: dollars(50),
  for_ms: 8 * HOUR_MS,
  reason: 'launch day',
  ...of,
});

async function fixture(yaml = FLEET, clock = manualClock()) {
  const config = await configOf(yaml);
  // the same agents ask again, and it is the raises' own recalls that are looked at
  return { ...(await ledgerOn(bench.database, config, clock)), ...(await raisesOn(config, clock)) };
}

const eventsOf = (event: string) =>
  bench.database.query<{ actor: string; agent: string; reason: string; details: Record<string, unknown> }>(
    'select actor, agent, reason, details from control_events where event = $1 order by id',
    [event],
  );

describe('a raise', () => {
  test('adds to the limit at once, under a lease that is open, and is over in time', async () => {
    const { ask, raises, ledger, clock } = await fixture('budgets: [$5/day]\nagents: { a: { role: any } }');
    const { lease } = await ask('a/1', { want: usd(5), need: usd(5) });
    const more = { lease, granted: usd(5), held: usd(5), want: usd(1), need: usd(1) };
    expect((await ask('a/1', { ...more, seq: 2 })).outcome).toBe('held');

    await raises.raise(order({ level: 'fleet', name: null, window: null, for_ms: HOUR_MS / 6 }), 'ops');
    expect((await ask('a/1', { ...more, seq: 3 })).granted.nanodollars).toBe(dollars(30));
    expect((await ledger.budgets())[0]).toMatchObject({ limit: dollars(55), raised: dollars(50) });

    clock.advance(HOUR_MS / 6);
    expect((await ask('a/1', { ...more, seq: 4, granted: usd(30), held: usd(30) })).outcome).toBe('held');
    expect((await ledger.budgets())[0]).toMatchObject({ limit: dollars(5), raised: '0' });
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('that is over calls back what stands above the limit, although nobody asks', async () => {
    const { ask, raises, recalls, clock } = await fixture('budgets: [$5/day]\nagents: { a: { role: any } }');
    const made = await raises.raise(order({ level: 'fleet', name: null, window: null }), 'ops');
    const { lease } = await ask('a/1', { want: usd(1), need: usd(1) });
    clock.advance(8 * HOUR_MS);
    await expect.poll(() => recalls).toEqual([{ agent: 'a', instance: '1', lease }]);
    expect(await eventsOf('budget_raise_ended')).toEqual([
      {
        actor: 'collector',
        agent: '',
        reason: 'its time is over',
        details: {
          raise: made.id,
          level: 'fleet',
          name: 'test',
          window: 'day',
          unit: 'nanodollars',
          amount: dollars(50),
        },
      },
    ]);
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('ended by hand is over at once, and nothing more is granted above the limit', async () => {
    const { ask, raises, recalls } = await fixture('budgets: [$5/day]\nagents: { a: { role: any } }');
    const made = await raises.raise(order({ level: 'fleet', name: null, window: 'day' }), 'ops');
    const { lease } = await ask('a/1', { want: usd(20), need: usd(20) });
    expect(await raises.end(made.id, 'ops')).toBe(true);
    expect(recalls).toEqual([{ agent: 'a', instance: '1', lease }]);
    expect(await raises.end(made.id, 'ops')).toBe(false);
    const used = { lease, granted: usd(27.5), posted: usd(20), want: usd(1), need: usd(1) };
    expect((await ask('a/1', { ...used, seq: 2 })).outcome).toBe('over_budget');
    expect(await invariantBreaches(bench.database)).toEqual([]);
    expect((await eventsOf('budget_raise_ended')).map(({ reason }) => reason)).toEqual(['ended by hand']);
  });

  test('outlives a restart and another configuration', async () => {
    const { raises, clock } = await fixture();
    await raises.raise(order(), 'ops');
    raises.close();

    const config = await configOf(FLEET.replace('$5/day', '$6/day'));
    const { ledger, ask } = await ledgerOn(bench.database, config, clock);
    const again = await raisesOn(config, clock);
    expect(await again.raises.lines()).toMatchObject([
      { level: 'agent', name: 'a', window: 'day', amount: dollars(50), actor: 'ops', reason: 'launch day' },
    ]);
    await ask('a/1', {});
    const rows = await bench.database.query(
      `select spend_limit::text as limit from accounts where level = 'agent' and budget_window = 'day' and unit = 'nanodollars'`,
    );
    expect(rows).toEqual([{ limit: dollars(56) }]);
    const line = (await ledger.budgets()).find(({ level, window }) => level === 'agent' && window === 'day');
    expect(line).toMatchObject({ limit: dollars(56), raised: dollars(50) });
  });

  test('counts in a window that begins while it is in force', async () => {
    const { ask, raises, ledger, clock } = await fixture();
    await raises.raise(order({ for_ms: 36 * HOUR_MS }), 'ops');
    await ask('a/1', {});
    clock.advance(24 * HOUR_MS);
    await ask('a/2', {});
    const lines = (await ledger.budgets()).filter(
      ({ level, window }) => level === 'agent' && window === 'day',
    );
    expect(lines).toMatchObject([{ limit: dollars(55) }, { unit: 'tokens', raised: '0' }]);
  });

  test('two at once add up, and each ends by itself', async () => {
    const { raises, ledger, clock } = await fixture();
    await raises.raise(order({ level: 'department', name: 'lab', window: null, for_ms: HOUR_MS }), 'ops');
    await raises.raise(order({ level: 'department', name: 'lab', window: 'month' }), 'ops');
    const lab = async () => (await ledger.budgets()).find(({ level }) => level === 'department')?.limit;
    expect(await lab()).toBe(dollars(180));
    clock.advance(HOUR_MS);
    expect(await lab()).toBe(dollars(130));
  });

  test('of tokens, of a task, of an agent that a pattern rules', async () => {
    const { ask, raises, ledger } = await fixture();
    await raises.raise(order({ unit: 'tokens', window: null, amount: '500' }), 'ops');
    await raises.raise(order({ level: 'task', name: 'a/t1', window: null, amount: dollars(3) }), 'ops');
    await raises.raise(order({ name: 'bot-7', window: null, amount: dollars(1) }), 'ops');
    expect((await ask('a/1', { scope: 'task', task: 't1', want: usd(5), need: usd(5) })).outcome).toBe(
      'granted',
    );
    expect((await ask('bot-7/1', { want: usd(2), need: usd(2) })).outcome).toBe('granted');
    const limits = (await ledger.budgets()).map(({ name, unit, limit }) => `${name} ${unit} ${limit}`);
    expect(limits).toContain('a tokens 1500');
    expect(limits).toContain(`a/t1 nanodollars ${dollars(5)}`);
    expect(limits).toContain(`bot-7 nanodollars ${dollars(2)}`);
  });

  test('is noted with who, why and until when', async () => {
    const { raises } = await fixture();
    const { id } = await raises.raise(order(), 'ops');
    expect(await eventsOf('budget_raised')).toEqual([
      {
        actor: 'ops',
        agent: 'a',
        reason: 'launch day',
        details: expect.objectContaining({ raise: id, level: 'agent', name: 'a', amount: dollars(50) }),
      },
    ]);
  });

  test.each([
    ['no budget there', { level: 'department', name: 'sales' } as const, /gives department sales no budget/],
    ['a pattern', { name: 'bot-*' }, /gives agent bot-\* no budget/],
    [
      'two windows',
      { window: null },
      /in dollars per month, in dollars per day, in tokens per day: say which/,
    ],
    ['another window', { window: 'week' }, /name one of these/],
    ['more than can be held', { amount: '9223372036854775807' }, /more than any budget can hold/],
  ])('of what has none is refused: %s', async (_, of, sentence) => {
    const { raises } = await fixture();
    const refused = raises.raise(order(of), 'ops');
    await expect(refused).rejects.toThrow(NothingToRaise);
    await expect(refused).rejects.toThrow(sentence);
    expect(await raises.lines()).toEqual([]);
  });
});
