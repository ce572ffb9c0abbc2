// What the ledger and the roster say of budgets and of who has gone, on a real control database.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFigures, type FigureSources } from '../../../collector/alert-figures.ts';
import { parseDefinitions } from '../../../collector/alerts/definition.ts';
import type { Figures } from '../../../collector/alerts/evaluate.ts';
import { filled, findingOf, overThreshold } from '../../../collector/alerts/finding.ts';
import { readAlertFiles } from '../../../collector/edges/alert-files.ts';
import type { Config } from '../../../contract/config/config.ts';
import { configOf, type Fixture, ledgerOn, openBench, usd } from '../control/bench.ts';

const { alerts } = parseDefinitions(readAlertFiles());
const ZERO = { nanodollars: '0', tokens: '0' };

let bench: Awaited<ReturnType<typeof openBench>>;
let config: Config;
let ledger: Fixture;
let figures: Figures;
let missing: string[];
/** What the store knows of calls refused for money. */
let refused: Record<string, string>[];
let queue: { segments: number; oldestMs: number };
let standing: string[];
let setAside: number;
let sumsInDoubt: string[];
let behind: { requests: number; forMs: number };
let haltedByMs: number | null;
let anchors: { name: string; failingMs: number; reason: string }[];

beforeAll(async () => {
  bench = await openBench();
  config = await configOf(`budgets: [$100/month]
departments: { lab: { budgets: [$10/month] } }
agents:
  a: { role: any, department: lab, owner: leads, budgets: [$8/day] }
  b: { role: any, budgets: [$50/day], task_budgets: [$5] }
owners: { leads: {} }`);
});
afterAll(() => bench.close());
beforeEach(async () => {
  await bench.fresh();
  ledger = await ledgerOn(bench.database, config);
  missing = [];
  refused = [];
  queue = { segments: 0, oldestMs: 0 };
  standing = [];
  setAside = 0;
  sumsInDoubt = [];
  behind = { requests: 0, forMs: 0 };
  anchors = [];
  haltedByMs = null;
  const { clock, roster } = ledger;
  const sources: FigureSources = {
    database: bench.database,
    ledger: ledger.ledger,
    roster,
    missing: () => missing,
    queue: () => queue,
    standing: () => standing,
    setAside: () => setAside,
    sumsInDoubt: async () => sumsInDoubt,
    behind: () => behind,
    anchors: () => anchors,
    haltedByMs: () => haltedByMs,
    ask: async () => refused,
    clock,
  };
  figures = createFigures(sources);
});

/** The summaries of what passes the alert's threshold. */
async function found(id: string): Promise<string[]> {
  const definition = alerts.find((alert) => alert.id === id)!;
  const rows = await figures[definition.figure!]();
  return overThreshold(definition, rows.flatMap(findingOf), config, 1)
    .map((finding) => `${filled(definition.summary, finding, definition.unit)} (${finding.owner})`)
    .sort();
}

/** Draws a slice and spends all of it. */
async function spend(who: string, amount: number): Promise<void> {
  const { lease, granted } = await ledger.ask(who, { want: usd(amount), need: usd(amount) });
  const all = { nanodollars: granted.nanodollars!, tokens: '0' };
  await ledger.ask(who, { lease, seq: 2, granted: all, posted: usd(amount), held: ZERO, release: true });
}

describe('who spent it', () => {
  it('is told with a budget that is nearly used up, and asked of the store for that one alone', async () => {
    refused = [
      { kind: 'agents', who: 'a', amount: '6000000000' },
      { kind: 'tasks', who: 'a/t1', amount: '5500000000' },
      { kind: 'models', who: 'gpt-5-mini', amount: '6000000000' },
    ];
    await spend('a/1', 6);
    const rows = (await figures.budgets()).filter(({ spent_by }) => spent_by !== undefined);
    expect(rows.map(({ key, spent_by }) => [key, spent_by])).toEqual([
      ['agent a day nanodollars', 'agents: a $6.00; tasks: a/t1 $5.50; models: gpt-5-mini $6.00'],
    ]);
  });
});

describe('a budget', () => {
  it('is near at 70 %, again at 90 %, and then used up; its owner is told', async () => {
    await spend('a/1', 5.5);
    expect(await found('budget-near')).toEqual([]);
    await spend('a/1', 0.5);
    expect(await found('budget-near')).toEqual([
      'The agent budget of a is at 75 %: $6.00 of $8.00 this day (leads)',
    ]);
    await spend('a/1', 1.5);
    expect(await found('budget-near')).toEqual([
      'The agent budget of a is at 94 %: $7.50 of $8.00 this day (leads)',
      'The agent budget of a is at 94 %: $7.50 of $8.00 this day (leads)',
      'The department budget of lab is at 75 %: $7.50 of $10.00 this month ()',
    ]);
    await spend('a/1', 0.5);
    expect(await found('budget-used-up')).toEqual([
      'The agent budget of a is used up: $8.00 of $8.00 this day (leads)',
    ]);
    expect(await found('fleet-budget-used-up')).toEqual([]);
  });

  it('into which nothing fits any more is used up; a refused call alone says nothing', async () => {
    await spend('a/1', 6);
    refused = [{ fleet_id: 'test', department: 'lab', agent_id: 'a', task_id: 't' }];
    expect(await found('fleet-budget-used-up')).toEqual([]);
    ledger.clock.advance(86_400_000);
    await spend('a/1', 3.6);
    expect(await found('fleet-budget-used-up')).toEqual([
      'The department budget of lab is used up: $9.60 of $10.00 this month ()',
    ]);
    expect(await found('budget-near')).toContain(
      'The department budget of lab is at 96 %: $9.60 of $10.00 this month ()',
    );
    refused = [];
    expect(await found('fleet-budget-used-up')).toEqual([]);
  });

  it('of a task is its owner’s business', async () => {
    const ask = { scope: 'task' as const, task: 't1', want: usd(5), need: usd(5) };
    const { lease } = await ledger.ask('b/1', ask);
    await ledger.ask('b/1', {
      ...ask,
      lease,
      seq: 2,
      granted: usd(5),
      posted: usd(5),
      want: ZERO,
      need: ZERO,
    });
    expect(await found('budget-used-up')).toEqual([
      'The task budget of b/t1 is used up: $5.00 of $5.00 this task ()',
    ]);
  });
});

describe('a sidecar', () => {
  const beat = (instance: string) =>
    ledger.roster.heartbeat({ name: 'a', instance, mode: 'enforce', health: 'ok', policy: 'p' });

  it('that vanished with a lease is missed; one that gave it back, or was not heard of for a day, is not', async () => {
    await Promise.all([beat('died'), beat('stopped')]);
    const { lease, granted } = await ledger.ask('a/stopped', { want: usd(1), need: usd(1) });
    const all = { nanodollars: granted.nanodollars!, tokens: '0' };
    await ledger.ask('a/stopped', { lease, seq: 2, granted: all, release: true, close: true });
    await ledger.ask('a/died', { want: usd(1), need: usd(1) });
    expect(await found('collector-unreachable')).toEqual([]);
    ledger.clock.advance(180_000);
    expect(await found('collector-unreachable')).toEqual([
      'The sidecar a/died has been away for 3 min (leads)',
    ]);
    ledger.clock.advance(86_400_000);
    expect(await found('collector-unreachable')).toEqual([]);
  });

  it('is given time to be heard after the collector came back', async () => {
    await beat('died');
    await ledger.ask('a/died', { want: usd(1), need: usd(1) });
    ledger.clock.advance(600_000);
    const again = createFigures({
      database: bench.database,
      ledger: ledger.ledger,
      roster: ledger.roster,
      missing: () => [],
      queue: () => queue,
      standing: () => [],
      setAside: () => 0,
      sumsInDoubt: async () => [],
      behind: () => behind,
      anchors: () => anchors,
      haltedByMs: () => haltedByMs,
      ask: async () => [],
      clock: ledger.clock,
    });
    expect(await again.parts_away()).toEqual([]);
    ledger.clock.advance(60_000);
    expect(await again.parts_away()).toHaveLength(1);
  });
});

describe('the collector itself', () => {
  it('says that its store is away, and since when', async () => {
    missing = ['store'];
    await figures.parts_away();
    ledger.clock.advance(90_000);
    expect(await found('collector-unreachable')).toEqual(["The collector's store has been away for 91 s ()"]);
    missing = [];
    expect(await found('collector-unreachable')).toEqual([]);
  });

  it('says that its queue is a minute behind', async () => {
    queue = { segments: 40, oldestMs: 59_000 };
    expect(await found('queue-growing')).toEqual([]);
    queue = { segments: 40, oldestMs: 61_000 };
    expect(await found('queue-growing')).toEqual(['The queue of the collector grows: 40 wait ()']);
  });

  it('says that it takes nothing, or loads nothing, and why', async () => {
    expect(await found('collector-refuses')).toEqual([]);
    standing = ['queue', 'room to load', 'loading'];
    expect(await found('collector-refuses')).toEqual([
      'The collector loads nothing: its disk is all but full ()',
      'The collector loads nothing: its store refuses one message after the other ()',
      'The collector takes no records, not even of sidecars: its queue or its disk is full ()',
    ]);
  });

  it('says how much lies set aside', async () => {
    expect(await found('records-set-aside')).toEqual([]);
    setAside = 3;
    expect(await found('records-set-aside')).toEqual(['3 messages or pieces of damage lie set aside ()']);
  });
});

it('sums in doubt are named, in the command too', async () => {
  expect(await found('sums-in-doubt')).toEqual([]);
  sumsInDoubt = ['calls_1m', 'task_calls'];
  expect(await found('sums-in-doubt')).toEqual([
    '2 counted tables may lack rows, for the ClickHouse server was killed in the middle of a load: calls_1m task_calls ()',
  ]);
  const { next, unit } = alerts.find(({ id }) => id === 'sums-in-doubt')!;
  const [finding] = (await figures.sums_in_doubt()).flatMap(findingOf);
  expect(filled(next, finding!, unit)).toBe('outrider store rebuild calls_1m task_calls');
});

describe('the log of what was accepted', () => {
  it('says that it is five minutes behind', async () => {
    behind = { requests: 7, forMs: 299_000 };
    expect(await found('audit-log-behind')).toEqual([]);
    behind = { requests: 9_000, forMs: 480_000 };
    expect(await found('audit-log-behind')).toEqual([
      "The collector's log is 8 min behind: 9000 requests are under no signed checkpoint ()",
    ]);
  });

  it('says which place outside gets no checkpoints, and why', async () => {
    anchors = [
      {
        name: 'directory /worm',
        failingMs: 301_000,
        reason: 'There is no directory /worm: mount or make it.',
      },
      { name: 'command git', failingMs: 299_000, reason: 'git ended with 1: it said nothing' },
    ];
    expect(await found('anchor-failing')).toEqual([
      'No checkpoint has reached the directory /worm for 5 min: There is no directory /worm: mount or make it. ()',
    ]);
  });
});

it('retention that a clock halted says how far the clock is ahead', async () => {
  expect(await found('retention-halted')).toEqual([]);
  haltedByMs = 10 * 86_400_000;
  expect(await found('retention-halted')).toEqual([
    'Nothing is dropped, for the clock stands 10 days after old rows were looked for last ()',
  ]);
});

describe('dead letters', () => {
  const call = (more: object) => ({
    ...{
      mark: 'outcome_unknown',
      call_digest: 'd',
      replay_of: '',
      agent_id: 'a',
      task_id: 't',
      upstream: 'mail',
    },
    ...{
      target: 'http POST mail',
      request: '',
      answer: '',
      not_kept: 'capture',
      ended_ms: '1',
      call_id: '0',
    },
    ...more,
  });

  it('that wait are one incident for each agent and upstream, told to the owner', async () => {
    const calls = [
      call({ call_id: '1', task_id: 't1' }),
      call({ call_id: '2', task_id: 't1' }),
      call({ call_id: '3', task_id: 't2' }),
      call({ call_id: '4', agent_id: 'b', upstream: 'crm', mark: 'failed' }),
      call({ call_id: '5', agent_id: 'b', upstream: 'cms', call_digest: 'e' }),
    ];
    await bench.database.query('truncate dead_letters, dead_letter_calls');
    await bench.database.query('select take_dead_letters($1::jsonb, 500, 0, 0)', [JSON.stringify(calls)]);
    await bench.database.query("select discard_dead_letter('5', 'anna', 'known', 0)");
    expect(await found('dead-letter')).toEqual([
      '1 dead letters of b at crm wait (failed, 1 failed calls) ()',
      '2 dead letters of a at mail wait (outcome_unknown, 3 failed calls) (leads)',
    ]);
  });
});
