import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configOf, dollars, invariantBreaches, ledgerOn, openBench, usd } from './bench.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
beforeAll(async () => {
  bench = await openBench();
});
const ALL = { reason: 'the machine is gone', dryRun: false };
beforeEach(() => bench.fresh());
afterAll(() => bench.close());

const TWO_LEVELS = `
budgets: [$10/day]
departments: { lab: { budgets: [$8/month] } }
agents:
  a: { role: any, department: lab, budgets: [$6/week, 1000 tokens/day], task_budgets: [$2] }
  b: { role: any, department: lab }
  c: { role: any }
`;

const postedOf = async (ledger: {
  budgets(): Promise<{ level: string; name: string; posted: string; held: string }[]>;
}) =>
  Object.fromEntries(
    (await ledger.budgets()).map((line) => [
      `${line.level} ${line.name} ${'unit' in line ? line.unit : ''}`,
      [line.posted, line.held],
    ]),
  );

describe('drawing', () => {
  test('200 sidecars that each want a dollar of ten: ten get one, all others hear that it is spent', async () => {
    const config = await configOf('budgets: [$10/day]\nagents: { a: { role: any } }');
    const { ask, recalls } = await ledgerOn(bench.database, config);
    const slices = new Map<string, string>();
    const outcomes: string[] = [];

    async function releaseRecalled(): Promise<void> {
      for (const { instance, lease } of recalls.splice(0)) {
        const spent = slices.get(instance);
        if (spent === undefined) continue;
        slices.delete(instance);
        const { granted } = await ask(`a/${instance}`, {
          lease,
          seq: 2,
          granted: usd(10),
          posted: usd(1),
          release: true,
        });
        expect(granted.nanodollars).toBe(dollars(1));
      }
    }

    async function spendOne(instance: string): Promise<void> {
      const answer = await ask(`a/${instance}`, { want: usd(1), need: usd(1) });
      if (answer.outcome === 'held') {
        await releaseRecalled();
        return spendOne(instance);
      }
      outcomes.push(answer.outcome);
      if (answer.outcome === 'granted') slices.set(instance, answer.lease!);
    }

    await Promise.all(Array.from({ length: 200 }, (_, i) => spendOne(String(i))));
    expect(outcomes.filter((outcome) => outcome === 'granted')).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === 'over_budget')).toHaveLength(190);
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('a slice is half of what is left for one instance, a quarter with two', async () => {
    const { ask } = await ledgerOn(
      bench.database,
      await configOf('budgets: [$10/day]\nagents: { a: { role: any } }'),
    );
    expect((await ask('a/1', { want: usd(1), need: usd(1) })).granted).toEqual({
      nanodollars: dollars(5),
      tokens: null,
    });
    expect((await ask('a/2', { want: usd(1), need: usd(1) })).granted.nanodollars).toBe(dollars(1.25));
    expect((await ask('a/3', { want: usd(3), need: usd(3) })).granted.nanodollars).toBe(dollars(3));
  });

  test('all accounts of a path at once, the tightest decides, in both units', async () => {
    const { ask, ledger } = await ledgerOn(bench.database, await configOf(TWO_LEVELS));
    const first = await ask('a/1', {
      want: { nanodollars: dollars(1), tokens: '10' },
      need: { nanodollars: dollars(1), tokens: '10' },
    });
    expect(first.granted).toEqual({ nanodollars: dollars(3), tokens: '500' });
    const held = await postedOf(ledger);
    expect(held['fleet test nanodollars']).toEqual(['0', dollars(3)]);
    expect(held['department lab nanodollars']).toEqual(['0', dollars(3)]);
    expect(held['agent a tokens']).toEqual(['0', '500']);
  });

  test('one level without room: nothing is drawn at any', async () => {
    const { ask, ledger } = await ledgerOn(bench.database, await configOf(TWO_LEVELS));
    const answer = await ask('a/1', { want: usd(7), need: usd(7) });
    expect(answer).toMatchObject({
      outcome: 'over_budget',
      lease: null,
      obstacle: { level: 'agent', name: 'a', window: 'week', limit: dollars(6), needed: dollars(7) },
    });
    for (const [, held] of Object.values(await postedOf(ledger))) expect(held).toBe('0');
  });

  test('no budget on the path: unlimited, and still a lease', async () => {
    const { ask } = await ledgerOn(
      bench.database,
      await configOf('budgets: none\nagents: { a: { role: any } }'),
    );
    const answer = await ask('a/1', { want: usd(1e6), need: usd(1e6) });
    expect(answer).toMatchObject({ outcome: 'granted', granted: { nanodollars: null, tokens: null } });
    expect(answer.lease).toMatch(/^lse_/);
  });

  test('BUD-04: a budget of zero grants nothing but calls that cost nothing', async () => {
    const { ask } = await ledgerOn(
      bench.database,
      await configOf('budgets: [$0/day]\nagents: { a: { role: any } }'),
    );
    expect((await ask('a/1', { want: usd(1), need: usd(1) })).outcome).toBe('over_budget');
    expect(await ask('a/1', {})).toMatchObject({ outcome: 'granted', granted: { nanodollars: '0' } });
  });

  test('money posted is final, money held is called back from every holder', async () => {
    const { ask, recalls } = await ledgerOn(
      bench.database,
      await configOf('budgets: [$10/day]\nagents: { a: { role: any }, b: { role: any } }'),
    );
    const own = await ask('a/1', { want: usd(4), need: usd(4) });
    const other = await ask('b/1', { want: usd(4), need: usd(4) });
    expect(
      (
        await ask('a/1', {
          lease: own.lease,
          seq: 2,
          granted: { nanodollars: own.granted.nanodollars!, tokens: '0' },
          held: usd(4),
          want: usd(6),
          need: usd(6),
        })
      ).outcome,
    ).toBe('held');
    expect(recalls).toEqual([{ agent: 'b', instance: '1', lease: other.lease }]);
    const back = await ask('b/1', { lease: other.lease, seq: 2, granted: usd(4), release: true });
    expect(back.granted.nanodollars).toBe('0');
    const spent = await ask('a/1', {
      lease: own.lease,
      seq: 3,
      granted: usd(5),
      posted: usd(5),
      want: usd(6),
      need: usd(6),
    });
    expect(spent).toMatchObject({
      outcome: 'over_budget',
      obstacle: { posted: dollars(5), limit: dollars(10) },
    });
  });
});

describe('repeats and losses', () => {
  const ONE = 'budgets: [$10/day]\nagents: { a: { role: any } }';

  test('a repeated ask gets the same answer and changes nothing; an older one is stale', async () => {
    const { ask, ledger } = await ledgerOn(bench.database, await configOf(ONE));
    const { lease } = await ask('a/1', { want: usd(1), need: usd(1) });
    const report = { lease, seq: 3, granted: usd(5), posted: usd(2), want: usd(1), need: usd(1) };
    const first = await ask('a/1', report);
    expect(await ask('a/1', report)).toEqual(first);
    expect((await ask('a/1', { ...report, seq: 2, posted: usd(5) })).outcome).toBe('stale');
    expect((await ledger.budgets())[0]).toMatchObject({ posted: dollars(2) });
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('a lost first answer opens no second lease', async () => {
    const { ask } = await ledgerOn(bench.database, await configOf(ONE));
    const first = await ask('a/1', { nonce: 'n1', want: usd(1), need: usd(1) });
    expect(await ask('a/1', { nonce: 'n1', seq: 2, want: usd(1), need: usd(1) })).toEqual(first);
    expect((await ask('a/2', { nonce: 'n1', want: usd(1), need: usd(1) })).lease).not.toBe(first.lease);
  });

  test('a grant that was never received is taken back before anything else', async () => {
    const { ask, ledger } = await ledgerOn(bench.database, await configOf(ONE));
    const { lease } = await ask('a/1', { want: usd(1), need: usd(1) });
    await ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(5), want: usd(1), need: usd(1) });
    const again = await ask('a/1', {
      lease,
      seq: 3,
      granted: usd(5),
      posted: usd(5),
      want: usd(1),
      need: usd(1),
    });
    expect(again.granted.nanodollars).toBe(dollars(7.5));
    expect((await ledger.budgets())[0]).toMatchObject({ posted: dollars(5), held: dollars(2.5) });
  });

  test('the lease of another, or of nobody, is stale', async () => {
    const { ask } = await ledgerOn(bench.database, await configOf(ONE));
    const { lease } = await ask('a/1', { want: usd(1), need: usd(1) });
    for (const [who, id] of [
      ['a/2', lease],
      ['b/1', lease],
      ['a/1', 'lse_none'],
    ] as const) {
      expect(await ask(who, { lease: id, seq: 9, posted: usd(1) })).toMatchObject({
        outcome: 'stale',
        lease: null,
      });
    }
    expect((await ask('a/1', { scope: 'offline', lease, seq: 9 })).outcome).toBe('stale');
  });

  test('an instance that lost its lease gets one of a higher epoch; the old counts until settled', async () => {
    const { ask, ledger } = await ledgerOn(bench.database, await configOf(ONE));
    const first = await ask('a/1', { want: usd(2), need: usd(2) });
    const second = await ask('a/1', { want: usd(2), need: usd(2) });
    expect(second.epoch).toBe(first.epoch + 1);
    expect((await ledger.budgets())[0]).toMatchObject({ held: dollars(7.5) });
    await ask('a/1', {
      lease: first.lease,
      seq: 2,
      granted: usd(5),
      posted: usd(1),
      release: true,
      close: true,
    });
    expect((await ledger.budgets())[0]).toMatchObject({ posted: dollars(1), held: dollars(2.5) });
  });

  test('what was spent beyond a slice is posted in full, and said so', async () => {
    const { ask, ledger } = await ledgerOn(bench.database, await configOf(ONE));
    const { lease } = await ask('a/1', { want: usd(2), need: usd(2) });
    await ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(12) });
    expect((await ledger.budgets())[0]).toMatchObject({ posted: dollars(12), held: '0' });
    const entries = await bench.database.query(
      `select kind, posted::text from entries where kind = 'overrun'`,
    );
    expect(entries).toEqual([{ kind: 'overrun', posted: dollars(7) }]);
    expect((await ask('a/2', { want: usd(1), need: usd(1) })).outcome).toBe('over_budget');
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('entries are never changed or removed', async () => {
    const { ask } = await ledgerOn(bench.database, await configOf(ONE));
    await ask('a/1', { want: usd(2), need: usd(2) });
    await expect(bench.database.query('delete from entries')).rejects.toThrow('never changed');
    await expect(bench.database.query('update entries set why = $1', ['x'])).rejects.toThrow('never changed');
  });
});

describe('time', () => {
  const DAILY = 'budgets: [$10/day]\nagents: { a: { role: any } }';
  const HOUR_MS = 3_600_000;

  test('a lease lives as long as money.lease says, at most to the end of its window; asking renews it', async () => {
    const { ask, clock } = await ledgerOn(bench.database, await configOf(DAILY));
    const { lease, ttlMs } = await ask('a/1', { want: usd(1), need: usd(1) });
    expect(ttlMs).toBe(15 * 60_000);
    clock.advance(10 * 60_000);
    expect((await ask('a/1', { lease, seq: 2, granted: usd(5) })).ttlMs).toBe(15 * 60_000);
    clock.advance(23.75 * HOUR_MS);
    expect((await ask('a/2', {})).ttlMs).toBe(5 * 60_000);
  });

  test('a charge stays in the window of its lease', async () => {
    const { ask, clock, ledger } = await ledgerOn(bench.database, await configOf(DAILY));
    const { lease } = await ask('a/1', { want: usd(1), need: usd(1) });
    clock.advance(24 * HOUR_MS);
    expect(await ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(2), held: usd(1) })).toMatchObject({
      outcome: 'granted',
      ttlMs: 0,
    });
    expect((await ledger.budgets())[0]).toMatchObject({ posted: '0', held: '0' });
    expect(
      (await ask('a/1', { lease, seq: 3, granted: usd(5), posted: usd(2), want: usd(1), need: usd(1) }))
        .outcome,
    ).toBe('stale');
    expect((await ask('a/1', { want: usd(1), need: usd(1) })).granted.nanodollars).toBe(dollars(5));
    await ask('a/1', { lease, seq: 4, granted: usd(5), posted: usd(3), release: true, close: true });
    expect(
      await bench.database.query('select posted::text, outstanding::text from accounts order by starts_at'),
    ).toEqual([
      { posted: dollars(3), outstanding: '0' },
      { posted: '0', outstanding: dollars(5) },
    ]);
  });

  test('an expired slice counts as spent until settled, or written off for good', async () => {
    const { ask, clock, ledger } = await ledgerOn(bench.database, await configOf(DAILY));
    const { lease } = await ask('a/1', { want: usd(1), need: usd(1) });
    expect(await ledger.writeOff(ALL, 'anna')).toEqual([]);
    clock.advance(HOUR_MS);
    expect((await ledger.budgets())[0]).toMatchObject({ held: dollars(5) });
    const gone = { lease, agent: 'a', instance: '1', unit: 'nanodollars', amount: dollars(5) };
    const expired_at = new Date(clock.nowMs() - 45 * 60_000).toISOString();
    expect(await ledger.writeOff({ ...ALL, dryRun: true }, 'anna')).toEqual([{ ...gone, expired_at }]);
    expect((await ledger.budgets())[0]).toMatchObject({ posted: '0', held: dollars(5) });
    expect(await ledger.writeOff({ ...ALL, agent: 'b' }, 'anna')).toEqual([]);
    expect(await ledger.writeOff({ ...ALL, lease: lease! }, 'anna')).toEqual([{ ...gone, expired_at }]);
    expect(
      (await ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(1), want: usd(1), need: usd(1) }))
        .outcome,
    ).toBe('stale');
    expect((await ledger.budgets())[0]).toMatchObject({ posted: dollars(5), held: '0' });
    await ask('a/1', { lease, seq: 3, granted: usd(5), posted: usd(1), release: true, close: true });
    expect((await ledger.budgets())[0]).toMatchObject({ posted: dollars(1), held: '0' });
    expect(await bench.database.query(`select why from entries where kind = 'late'`)).toHaveLength(1);
  });

  test('a lowered limit holds from the next grant and calls slices back; a raised one gives room', async () => {
    const first = await ledgerOn(bench.database, await configOf(DAILY));
    const { lease } = await first.ask('a/1', { want: usd(1), need: usd(1) });
    const lowered = await ledgerOn(bench.database, await configOf(DAILY.replace('$10', '$3')), first.clock);
    expect((await lowered.ask('a/2', { want: usd(1), need: usd(1) })).outcome).toBe('held');
    expect(lowered.recalls).toEqual([{ agent: 'a', instance: '1', lease }]);
    expect(
      (await lowered.ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(1), release: true })).granted
        .nanodollars,
    ).toBe(dollars(1));
    expect(await bench.database.query('select excess::text from accounts')).toEqual([{ excess: '0' }]);
    const raised = await ledgerOn(bench.database, await configOf(DAILY.replace('$10', '$30')), first.clock);
    expect((await raised.ask('a/2', { want: usd(20), need: usd(20) })).outcome).toBe('granted');
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('a budget added or removed under a lease binds it from the next ask', async () => {
    const first = await ledgerOn(bench.database, await configOf(DAILY));
    const { lease } = await first.ask('a/1', { want: usd(1), need: usd(1) });
    const added = await ledgerOn(
      bench.database,
      await configOf('budgets: [$10/day, $6/week]\nagents: { a: { role: any } }'),
      first.clock,
    );
    expect(
      await added.ask('a/1', { lease, seq: 2, granted: usd(5), held: usd(5), want: usd(2), need: usd(2) }),
    ).toMatchObject({ outcome: 'held', obstacle: { window: 'week', held: dollars(5) } });
    const removed = await ledgerOn(
      bench.database,
      await configOf('budgets: none\nagents: { a: { role: any } }'),
      first.clock,
    );
    expect((await removed.ask('a/1', { lease, seq: 3, granted: usd(5), posted: usd(4) })).granted).toEqual({
      nanodollars: null,
      tokens: null,
    });
    expect((await removed.ask('a/1', { lease, seq: 4, posted: usd(40) })).outcome).toBe('granted');
    expect(
      await bench.database.query('select posted::text, outstanding::text from accounts order by account_id'),
    ).toEqual([
      { posted: dollars(4), outstanding: '0' },
      { posted: dollars(4), outstanding: '0' },
    ]);
  });
});

describe('tasks and offline slices', () => {
  test('a task has a budget of its own, shared by the instances of its agent', async () => {
    const { ask, ledger } = await ledgerOn(bench.database, await configOf(TWO_LEVELS));
    const one = await ask('a/1', { scope: 'task', task: 't', want: usd(1), need: usd(1) });
    expect(one).toMatchObject({
      scope: 'task',
      task: 't',
      outcome: 'granted',
      granted: { nanodollars: dollars(1), tokens: null },
    });
    expect(one.ttlMs).toBe(24 * 3_600_000);
    expect((await ask('a/2', { scope: 'task', task: 't', want: usd(1.5), need: usd(1.5) })).outcome).toBe(
      'held',
    );
    expect((await ask('a/2', { scope: 'task', task: 'u', want: usd(1.5), need: usd(1.5) })).outcome).toBe(
      'granted',
    );
    expect((await ledger.budgets()).filter(({ level }) => level === 'task').map(({ name }) => name)).toEqual([
      'a/t',
      'a/u',
    ]);
    expect(await ledger.endTask('t', { agent: 'a', state: 'done', output_units: 3 }, 'anna')).toBe(true);
    expect(await ledger.endTask('t', { agent: 'a', state: 'failed' }, 'anna')).toBe(true);
    expect(await ledger.endTask('free', { agent: 'a', state: 'done' }, 'anna')).toBe(true);
    expect(await ledger.endTask('never', { agent: 'stranger', state: 'done' }, 'anna')).toBe(false);
    expect(
      await bench.database.query('select task, state, output_units::int from tasks order by task'),
    ).toEqual([
      { task: 'free', state: 'done', output_units: null },
      { task: 't', state: 'done', output_units: 3 },
      { task: 'u', state: 'open', output_units: null },
    ]);
  });

  test('an agent has at most so many tasks open, and hears which limit it met', async () => {
    const { ask } = await ledgerOn(bench.database, await configOf(TWO_LEVELS));
    await bench.database.query(
      `insert into tasks (agent, task, opened_at) select 'b', 't' || n, 0 from generate_series(1, 10000) n`,
    );
    expect(await ask('b/1', { scope: 'task', task: 'one more' })).toMatchObject({
      outcome: 'over_budget',
      lease: null,
      obstacle: { unit: 'tasks', limit: '10000' },
    });
    expect((await ask('b/1', { scope: 'task', task: 't77' })).outcome).toBe('granted');
    expect((await ask('c/1', { scope: 'task', task: 'one more' })).outcome).toBe('granted');
  });

  test('in the grace before the limit no new task begins, running ones go on', async () => {
    const { ask } = await ledgerOn(
      bench.database,
      await configOf('budgets: [$10/day]\nmoney: { grace: 20% }\nagents: { a: { role: any } }'),
    );
    expect((await ask('a/1', { scope: 'task', task: 'early' })).outcome).toBe('granted');
    const { lease } = await ask('a/1', { want: usd(8), need: usd(8) });
    await ask('a/1', { lease, seq: 2, granted: usd(8), posted: usd(8) });
    expect((await ask('a/1', { scope: 'task', task: 'late' })).outcome).toBe('over_budget');
    expect((await ask('a/1', { scope: 'task', task: 'early' })).outcome).toBe('granted');
    expect(
      (await ask('a/1', { lease, seq: 3, granted: usd(8), posted: usd(8), want: usd(1), need: usd(1) }))
        .outcome,
    ).toBe('granted');
  });

  test('an offline slice is bounded by money.offline, and called back for its own instance too', async () => {
    const { ask, recalls } = await ledgerOn(
      bench.database,
      await configOf('budgets: [$4/month]\nmoney: { offline: $1 }\nagents: { a: { role: any } }'),
    );
    const offline = await ask('a/1', { scope: 'offline', want: usd(1) });
    expect(offline).toMatchObject({ granted: { nanodollars: dollars(1) }, ttlMs: 24 * 3_600_000 });
    expect(
      (await ask('a/1', { scope: 'offline', lease: offline.lease, seq: 2, granted: usd(1), want: usd(1) }))
        .granted.nanodollars,
    ).toBe(dollars(1));
    expect((await ask('a/1', { want: usd(3.5), need: usd(3.5) })).outcome).toBe('held');
    expect(recalls).toEqual([{ agent: 'a', instance: '1', lease: offline.lease }]);
  });
});
