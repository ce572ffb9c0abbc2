import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reasonOf } from '../../../collector/api/holds.ts';
import { type Holds, openHolds } from '../../../collector/control/holds.ts';
import type { Config } from '../../../contract/config/config.ts';
import type { HoldAsk } from '../../../contract/hold.ts';
import { silentLog } from '../../../kit/log.ts';
import { until } from '../../support/processes.ts';
import { configOf, dollars, type Fixture, invariantBreaches, ledgerOn, openBench, usd } from './bench.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
let fixture: Fixture;
let holds: Holds;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(async () => {
  await bench.fresh();
  const config = await configOf(LEVELS);
  fixture = await ledgerOn(bench.database, config);
  holds = holdsOn(config);
});
const holdsOn = (config: Config): Holds =>
  openHolds({
    database: bench.database,
    config: () => config,
    clock: fixture.clock,
    log: silentLog,
    onRecall: (recall) => fixture.recalls.push(recall),
  });
afterEach(async () => {
  holds.close();
  expect(await invariantBreaches(bench.database)).toEqual([]);
});
afterAll(() => bench.close());

const LEVELS = `
budgets: [$10/day, 1000 tokens/day]
departments: { lab: { budgets: [$3/day] } }
agents: { a: { role: any, department: lab, task_budgets: [$2] }, b: { role: any }, loner: { role: any, department: lab } }
`;
const MINUTE_MS = 60_000;

const ask = (id: string, nanodollars: number, more: Partial<HoldAsk> = {}): HoldAsk => ({
  id,
  agent: 'b',
  amounts: usd(nanodollars),
  ttl_ms: MINUTE_MS,
  ...more,
});
const take = (id: string, nanodollars: number, more?: Partial<HoldAsk>) =>
  holds.take(ask(id, nanodollars, more), 'join');
const fleet = async () =>
  (await fixture.ledger.budgets()).find(({ level, unit }) => level === 'fleet' && unit === 'nanodollars');

describe('taking', () => {
  test('BUD-01: of fifty at once that cost a tenth each, exactly ten are held', async () => {
    const taken = await Promise.all(Array.from({ length: 50 }, (_, i) => take(`c${i}`, 1)));
    expect(taken.filter(({ outcome }) => outcome === 'held')).toHaveLength(10);
    expect(taken.filter((each) => each.outcome === 'over_budget' && each.may_retry)).toHaveLength(40);
    await Promise.all(
      taken.map((each) => each.outcome === 'held' && holds.settle(each.hold.id, { post: usd(1) }, 'join')),
    );
    expect(await fleet()).toMatchObject({ posted: dollars(10), held: '0' });
    expect(await take('one more', 1)).toMatchObject({ outcome: 'over_budget', may_retry: false });
  });

  test('BUD-13: one id a hundred times at once is one hold, and one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => take('same', 3)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await fleet()).toMatchObject({ held: dollars(3) });
  });

  test('BUD-14: one id with another amount, agent or task is a conflict, and changes nothing', async () => {
    await take('same', 3);
    for (const other of [ask('same', 4), ask('same', 3, { agent: 'a' }), ask('same', 3, { task: 't' })])
      expect(await holds.take(other, 'join')).toMatchObject({
        outcome: 'id_conflict',
        hold: { held: usd(3) },
      });
    expect(await fleet()).toMatchObject({ held: dollars(3) });
  });

  test('BUD-19: one level without room, and nothing is held at any; the task binds beside its agent', async () => {
    expect(await take('big', 4, { agent: 'a' })).toMatchObject({
      outcome: 'over_budget',
      obstacle: { level: 'department', name: 'lab', limit: dollars(3), needed: dollars(4) },
    });
    expect(await take('task', 2.5, { agent: 'a', task: 't' })).toMatchObject({
      obstacle: { level: 'task', name: 'a/t' },
    });
    expect(await take('tokens', 0, { amounts: { nanodollars: '0', tokens: '1001' } })).toMatchObject({
      obstacle: { unit: 'tokens' },
    });
    for (const line of await fixture.ledger.budgets()) expect(line.held).toBe('0');
    expect((await take('fits', 2, { agent: 'a', task: 't' })).outcome).toBe('held');
  });

  test.each([
    [
      'is kept for others',
      9,
      { reason: 'grace' },
      'What is left of the day budget of fleet test is kept for tasks that have begun.',
    ],
    ['is nothing', 10, {}, 'The day budget of fleet test is spent.'],
  ])('a new task is told that what is left %s, and what it asked for', async (_, spent, reason, said) => {
    const config = await configOf(`money: { grace: 10% }\n${LEVELS}`);
    const begun = holdsOn(config);
    await begun.take(ask('most', spent), 'join');
    await begun.settle('most', { post: usd(spent) }, 'join');
    const late = await begun.take(ask('late', 0.5, { task: 'late' }), 'join');
    begun.close();
    expect(late).toEqual({
      outcome: 'over_budget',
      may_retry: false,
      obstacle: {
        level: 'fleet',
        name: 'test',
        window: 'day',
        unit: 'nanodollars',
        limit: dollars(10),
        posted: dollars(spent),
        held: '0',
        needed: dollars(0.5),
        resetsAt: '2026-01-06T00:00:00.000Z',
        ...reason,
      },
    });
    expect(late.outcome === 'over_budget' && reasonOf(late)).toBe(said);
  });

  test('slices in the way are called back; a hold has nothing to give back', async () => {
    const { lease } = await fixture.ask('b/1', { want: usd(8), need: usd(8) });
    await take('first', 1);
    expect(await take('second', 5)).toMatchObject({ outcome: 'over_budget', may_retry: true });
    expect(fixture.recalls).toEqual([{ agent: 'b', instance: '1', lease }]);
  });
});

test('BUD-03: eight first asks at once of an agent made at run time share one account, and none passes free', async () => {
  const config = await configOf("agents: { 'pr-*': { role: any, budgets: [$2/day] } }");
  const { ask: askLease, ledger } = await ledgerOn(bench.database, config, fixture.clock);
  const asked = Array.from({ length: 8 }, (_, i) => askLease(`pr-7/${i}`, { want: usd(1), need: usd(1) }));
  const granted = (await Promise.all(asked)).filter(({ outcome }) => outcome === 'granted');
  expect(granted).toHaveLength(2);
  expect((await ledger.budgets()).filter(({ name }) => name === 'pr-7')).toMatchObject([
    { held: dollars(2) },
  ]);
});

describe('settling', () => {
  test('BUD-06: what was not spent is free at once', async () => {
    await take('c', 10);
    expect(await holds.settle('c', { post: usd(4) }, 'join')).toMatchObject({
      outcome: 'settled',
      hold: { state: 'posted', posted: usd(4), held: usd(10) },
    });
    expect((await take('d', 6)).outcome).toBe('held');
  });

  test('BUD-07: more than was held is posted in full, as an overrun', async () => {
    await take('c', 1);
    await holds.settle('c', { post: usd(12) }, 'join');
    expect(await fleet()).toMatchObject({ posted: dollars(12), held: '0' });
    expect(await bench.database.query(`select kind from entries where kind = 'overrun'`)).toHaveLength(1);
    expect((await take('d', 0.01)).outcome).toBe('over_budget');
  });

  test('BUD-15: settled twice, after a release, after its time: the first stands', async () => {
    await take('posted', 2);
    const first = await holds.settle('posted', { post: usd(1) }, 'join');
    expect(await holds.settle('posted', { post: usd(1) }, 'join')).toEqual(first);
    for (const other of [{ post: usd(2) }, { release: true }] as const)
      expect(await holds.settle('posted', other, 'join')).toMatchObject({
        outcome: 'conflict',
        hold: { posted: usd(1) },
      });

    await take('released', 2);
    await holds.settle('released', { release: true }, 'join');
    expect(await holds.settle('released', { post: usd(2) }, 'join')).toMatchObject({
      outcome: 'conflict',
      hold: { state: 'released', posted: usd(0) },
    });

    await take('expired', 2);
    fixture.clock.advance(MINUTE_MS);
    expect(await holds.settle('expired', { post: usd(1) }, 'join')).toMatchObject({
      outcome: 'conflict',
      hold: { state: 'expired', posted: usd(2) },
    });
    expect(await holds.settle('nobody', { release: true }, 'join')).toEqual({ outcome: 'unknown' });
    expect(await fleet()).toMatchObject({ posted: dollars(3), held: '0' });
  });

  test('BUD-11: never settled, it is posted in full without anybody asking', async () => {
    await take('c', 2);
    fixture.clock.advance(MINUTE_MS);
    const later = (): ReturnType<typeof fleet> => {
      fixture.clock.advance(5_000);
      return fleet();
    };
    expect(await until(later, (line) => line?.posted !== '0')).toMatchObject({
      posted: dollars(2),
      held: '0',
    });
    expect(await bench.database.query(`select event from control_events`)).toEqual([
      { event: 'hold_expired' },
    ]);
  });

  test('BUD-18: a charge stays in the window of its hold', async () => {
    await take('c', 2, { ttl_ms: 24 * 60 * MINUTE_MS });
    fixture.clock.advance(23 * 60 * MINUTE_MS + 59 * MINUTE_MS);
    await take('late', 8, { ttl_ms: 10 * MINUTE_MS });
    fixture.clock.advance(2 * MINUTE_MS);
    await holds.settle('late', { post: usd(7) }, 'join');
    expect(await fleet()).toMatchObject({ posted: '0', held: '0' });
    expect(
      await bench.database.query(
        `select posted::text from accounts where level = 'fleet' and unit = 'nanodollars' order by starts_at`,
      ),
    ).toEqual([{ posted: dollars(9) }]);
  });
});

describe('BUD-30: a correction', () => {
  const BILLED = 'the export of June bills it so';

  test('both ways, each an entry, told; the same again changes nothing', async () => {
    await take('c', 2);
    expect(await holds.settle('c', { correct: usd(1), reason: BILLED }, 'join')).toMatchObject({
      outcome: 'conflict',
    });
    await holds.settle('c', { post: usd(2) }, 'join');
    await holds.settle('c', { correct: usd(1.5), reason: BILLED }, 'join');
    await holds.settle('c', { correct: usd(1.5), reason: BILLED }, 'join');
    expect(await fleet()).toMatchObject({ posted: dollars(1.5) });
    await holds.settle('c', { correct: usd(11), reason: BILLED }, 'join');
    expect(await fleet()).toMatchObject({ posted: dollars(11) });
    await holds.settle('c', { correct: usd(0), reason: BILLED }, 'join');
    expect(await fleet()).toMatchObject({ posted: '0' });
    expect(
      await bench.database.query(
        `select posted::text, why from entries where kind = 'correction' order by entry_id`,
      ),
    ).toEqual(
      [`-${dollars(0.5)}`, dollars(9.5), `-${dollars(11)}`].map((posted) => ({ posted, why: BILLED })),
    );
    const events = await bench.database.query(
      'select event, actor, reason from control_events where event = $1',
      ['budget_corrected'],
    );
    expect(events).toEqual(Array(3).fill({ event: 'budget_corrected', actor: 'join', reason: BILLED }));
  });
});
