import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRaises } from '../../../collector/control/raises.ts';
import { silentLog } from '../../../kit/log.ts';
import { configOf, dollars, ledgerOn, openBench, usd } from './bench.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(() => bench.fresh());
afterAll(() => bench.close());

const DAY_MS = 24 * 3_600_000;

const noted = async () =>
  (
    await bench.database.query<{ agent: string; details: Record<string, unknown> }>(
      `select agent, details from control_events where event = 'budget_threshold' order by id`,
    )
  ).map(({ agent, details: { level, name, unit, window, percent } }) =>
    [agent, level, name, unit, window, percent].join(' '),
  );

test('BUD-03: an agent that nobody met before, by eight at once, has one budget and no free pass', async () => {
  const config = await configOf('budgets: none\nagents: { bot-*: { role: any, budgets: [$4/day] } }');
  const { ask } = await ledgerOn(bench.database, config);
  const first = Array.from({ length: 8 }, (_, i) => ask(`bot-new/${i}`, { want: usd(1), need: usd(1) }));
  const granted = (await Promise.all(first)).map((answer) => BigInt(answer.granted?.nanodollars ?? 0));
  expect(granted.reduce((total, each) => total + each, 0n)).toBeLessThanOrEqual(BigInt(dollars(4)));
  const rows = await bench.database.query(
    `select count(*)::int as accounts from accounts where level = 'agent'`,
  );
  expect(rows).toEqual([{ accounts: 1 }]);
});

describe('70, 90 and 100 % of a budget', () => {
  test('are noted once per account, however often and from wherever it is spent', async () => {
    const config = await configOf('budgets: [$10/day]\nagents: { a: { role: any } }');
    const { ask } = await ledgerOn(bench.database, config);
    const own = { granted: usd(1), held: usd(1) };
    const leases: (string | null)[] = [];
    for (let i = 0; i < 10; i += 1) {
      const { lease } = await ask(`a/${i}`, { want: usd(1), need: usd(1) });
      await ask(`a/${i}`, { ...own, lease, seq: 2, release: true });
      leases.push(lease);
    }
    const spend = (posted: number, seq: number) =>
      Promise.all(
        leases.map((lease, i) => ask(`a/${i}`, { granted: usd(1), lease, seq, posted: usd(posted) })),
      );
    await spend(0.6, 3);
    expect(await noted()).toEqual([]);
    await spend(0.8, 4);
    expect(await noted()).toEqual([' fleet test nanodollars day 70']);
    await spend(0.95, 5);
    await spend(1, 6);
    await spend(1, 7);
    expect(await noted()).toEqual([70, 90, 100].map((percent) => ` fleet test nanodollars day ${percent}`));
  });

  test('are noted at every level and in every unit that has a limit, and not again after a restart', async () => {
    const config = await configOf(
      `budgets: [$10/day]\nagents: { a: { role: any, budgets: [$10/month, 100 tokens/day], task_budgets: [$10] } }`,
    );
    const { ask, clock } = await ledgerOn(bench.database, config);
    const posted = { nanodollars: dollars(7), tokens: '95' };
    const own = await ask('a/1', { want: posted, need: posted });
    await ask('a/1', { lease: own.lease, seq: 2, granted: posted, posted });
    const task = { scope: 'task', task: 't' } as const;
    const ofTask = await ask('a/1', { ...task, want: usd(10), need: usd(10) });
    await ask('a/1', { ...task, lease: ofTask.lease, seq: 2, granted: usd(10), posted: usd(9) });
    const all = [
      ' fleet test nanodollars day 70',
      'a agent a nanodollars month 70',
      'a agent a tokens day 70',
      'a agent a tokens day 90',
      'a task a/t nanodollars task 70',
      'a task a/t nanodollars task 90',
    ];
    expect((await noted()).sort()).toEqual([...all].sort());

    const again = await ledgerOn(bench.database, config, clock);
    await again.ask('a/1', {
      lease: own.lease,
      seq: 3,
      granted: posted,
      posted: { ...posted, tokens: '99' },
    });
    expect(await noted()).toHaveLength(all.length);
  });

  test('are noted again in the next window', async () => {
    const config = await configOf('budgets: [$10/day]\nagents: { a: { role: any } }');
    const { ask, clock } = await ledgerOn(bench.database, config);
    for (const day of [1, 2]) {
      const { lease } = await ask(`a/${day}`, { want: usd(8), need: usd(8) });
      await ask(`a/${day}`, { lease, seq: 2, granted: usd(8), posted: usd(8) });
      clock.advance(DAY_MS);
    }
    expect(await noted()).toEqual([1, 2].map(() => ' fleet test nanodollars day 70'));
  });

  test('are noted of the limit in force: again after a raise, and when a limit is lowered', async () => {
    const config = await configOf('budgets: [$10/day]\nagents: { a: { role: any } }');
    const { ask, clock } = await ledgerOn(bench.database, config);
    const raises = await openRaises({
      database: bench.database,
      config: () => config,
      clock,
      log: silentLog,
      onRecall: () => undefined,
    });
    const { lease } = await ask('a/1', { want: usd(8), need: usd(8) });
    await ask('a/1', { lease, seq: 2, granted: usd(8), posted: usd(8) });
    const made = await raises.raise(
      {
        level: 'fleet',
        name: null,
        unit: 'nanodollars',
        window: null,
        amount: dollars(10),
        for_ms: DAY_MS,
        reason: 'r',
      },
      'ops',
    );
    await ask('a/1', { lease, seq: 3, granted: usd(8), posted: usd(8), want: usd(6), need: usd(6) });
    await ask('a/1', { lease, seq: 4, granted: usd(14), posted: usd(14) });
    await raises.end(made.id, 'ops');
    raises.close();
    const percents = (await noted()).map((line) => line.split(' ').at(-1));
    expect(percents).toEqual(['70', '70', '90', '100']);
  });
});

describe('grace', () => {
  const GRACE = `
money: { grace: 10% }
budgets: [$100/month]
departments: { lab: { budgets: [$50/week] } }
agents:
  a: { role: any, department: lab, budgets: [$10/day, 1000 tokens/day] }
  b: { role: any, department: lab }
`;
  const begin = { scope: 'task', task: 'late' } as const;

  test.each([
    ['an agent’s dollars', 'a', usd(9), { level: 'agent', unit: 'nanodollars', reason: 'grace' }],
    [
      'an agent’s tokens',
      'a',
      { nanodollars: '0', tokens: '900' },
      { level: 'agent', unit: 'tokens', reason: 'grace' },
    ],
    ['a department’s dollars', 'b', usd(45), { level: 'department', name: 'lab', reason: 'grace' }],
  ])(
    'begins at %s: no new task, what runs goes on to the limit and not beyond',
    async (_, agent, posted, obstacle) => {
      const { ask } = await ledgerOn(bench.database, await configOf(GRACE));
      expect((await ask(`${agent}/1`, { scope: 'task', task: 'early' })).outcome).toBe('granted');
      const { lease } = await ask(`${agent}/1`, { want: posted, need: posted });
      await ask(`${agent}/1`, { lease, seq: 2, granted: posted, posted });

      expect(await ask(`${agent}/1`, begin)).toMatchObject({ outcome: 'over_budget', lease: null, obstacle });
      expect((await ask(`${agent}/2`, { scope: 'task', task: 'early' })).outcome).toBe('granted');
      const unit = posted.tokens === '0' ? 'nanodollars' : 'tokens';
      const limit = agent === 'b' ? dollars(50) : unit === 'tokens' ? '1000' : dollars(10);
      const rest = {
        nanodollars: '0',
        tokens: '0',
        [unit]: (BigInt(limit) - BigInt(posted[unit])).toString(),
      };
      const used = { lease, granted: posted, posted };
      expect((await ask(`${agent}/1`, { ...used, seq: 3, want: rest, need: rest })).outcome).toBe('granted');
      const whole = { ...posted, [unit]: limit };
      const beyond = { nanodollars: '0', tokens: '0', [unit]: '1' };
      const full = { lease, granted: whole, posted: whole, want: beyond, need: beyond };
      expect((await ask(`${agent}/1`, { ...full, seq: 4 })).outcome).toBe('over_budget');
    },
  );

  test('does not hold up what was spent already: it is posted, and its task is known', async () => {
    const { ask } = await ledgerOn(bench.database, await configOf(GRACE));
    const { lease } = await ask('a/1', { want: usd(10), need: usd(10) });
    await ask('a/1', { lease, seq: 2, granted: usd(10), posted: usd(10) });
    expect((await ask('a/1', begin)).outcome).toBe('over_budget');
    expect((await ask('a/1', { ...begin, posted: usd(1) })).outcome).toBe('granted');
  });

  test('tells of the limit in force, also where it was set below what is spent', async () => {
    const before = await ledgerOn(bench.database, await configOf(GRACE));
    const { lease } = await before.ask('a/1', { want: usd(5), need: usd(5) });
    await before.ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(5) });

    const { ask } = await ledgerOn(bench.database, await configOf(GRACE.replace('$10/day', '$3/day')));
    const { outcome, obstacle } = await ask('a/1', begin);
    expect(outcome).toBe('over_budget');
    expect(obstacle).toMatchObject({ level: 'agent', limit: dollars(3), posted: dollars(5) });
    expect(obstacle).not.toHaveProperty('reason');
  });

  test('is of the limit in force: a raise lets new tasks begin', async () => {
    const config = await configOf(GRACE);
    const { ask, clock } = await ledgerOn(bench.database, config);
    const { lease } = await ask('a/1', { want: usd(10), need: usd(10) });
    await ask('a/1', { lease, seq: 2, granted: usd(10), posted: usd(10) });
    const spent = await ask('a/1', begin);
    expect(spent).toMatchObject({ outcome: 'over_budget' });
    expect(spent.obstacle).not.toHaveProperty('reason');
    const raises = await openRaises({
      database: bench.database,
      config: () => config,
      clock,
      log: silentLog,
      onRecall: () => undefined,
    });
    const more = {
      level: 'agent',
      name: 'a',
      unit: 'nanodollars',
      window: 'day',
      amount: dollars(10),
    } as const;
    await raises.raise({ ...more, for_ms: DAY_MS, reason: 'r' }, 'ops');
    raises.close();
    expect((await ask('a/1', begin)).outcome).toBe('granted');
  });
});
