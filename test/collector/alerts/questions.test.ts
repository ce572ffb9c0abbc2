// Every question, asked of one fleet's past in a real store: what each finds, and nothing else. What is quiet here is a
// false alarm avoided.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSpenders } from '../../../collector/alert-spenders.ts';
import type { Book } from '../../../collector/alerts/book.ts';
import { parseDefinitions } from '../../../collector/alerts/definition.ts';
import { createEvaluation, type Figures } from '../../../collector/alerts/evaluate.ts';
import { readAlertFiles } from '../../../collector/edges/alert-files.ts';
import type { Incident } from '../../../contract/alert.ts';
import type { BudgetLine } from '../../../contract/budget.ts';
import type { Config } from '../../../contract/config/config.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { configOf } from '../control/bench.ts';
import { type Call, chain, NOW_MS, openWorld, type World } from './world.ts';

const { alerts } = parseDefinitions(readAlertFiles());
const FIGURES: Figures = {
  budgets: async () => [],
  shared_budgets: async () => [],
  own_budgets: async () => [],
  parts_away: async () => [],
  own_queue: async () => [],
  own_refusals: async () => [],
  set_aside: async () => [],
  sums_in_doubt: async () => [],
  dead_letters: async () => [],
  own_log: async () => [],
  anchors: async () => [],
  halted_retention: async () => [],
};
const times = (count: number, call: (i: number) => Call): Call[] =>
  Array.from({ length: count }, (_, i) => call(i));
const DAY = 24 * 60;

let world: World;
let config: Config;
let found: ReadonlyMap<string, readonly Incident[]>;
let failing: ReadonlyMap<string, string>;

beforeAll(async () => {
  world = await openWorld();
  config = await configOf(
    `agents:
  spender: { role: any, owner: leads, task_budgets: [$10, 5M tokens] }
  slow: { role: any, expected_task: 30m }
  ender: { role: any, expected_task: 30m }
  idle: { role: any, expected_task: 30m }
  pr-*: { role: any, owner: press }
owners: { leads: {}, press: {} }`,
  );
  await world.calls([...recentCalls(), ...chains(), ...pastCalls()]);
  await world.calls(longAgoCalls(), 29);
  await world.gauge('outrider.queue.depth', 'rising', [12, 14, 17, 21, 26]);
  await world.gauge('outrider.queue.depth', 'draining', [90, 80, 70, 60, 50]);
  await world.gauge('outrider.queue.depth', 'short', [1, 2, 3, 4, 5]);
  await world.gauge('outrider.confidence', 'unsure', [0.4, 0.2, 0.3]);
  await world.gauge('outrider.confidence', 'sure', [0.9, 0.4, 0.9]);
  await world.event('task_ended', 'ender', 5 * 60, { task: 'earlier', state: 'done' });
  await world.event('task_ended', 'slow', 5, { task: 'over', state: 'done' });
  await world.event('mode_changed', 'loose', 30, { mode: 'observe' }, 'a new tool');
  await world.event('mode_changed', 'tight-again', 30, { mode: 'observe' });
  await world.event('mode_restored', 'tight-again', 20, { from: 'observe' });
  const tool = { upstream: 'files', tool: 'read_file' };
  await world.event('chain_forked', 'cloned', 30, { stream: 'cloned/host/1', first: 5, last: 7, links: 2 });
  await world.event('records_damaged', 'unlucky', 30, { stream: 'unlucky/host/2', after: 'unlucky/host/1' });
  await world.event('tool_changed', 'reader', 30, tool);
  await world.event('tool_changed', 'reader', 40, { ...tool, tool: 'settled' });
  await world.event('tool_accepted', '', 20, { ...tool, tool: 'settled' });
  const degraded = (agent: string, ago: number, action: string) =>
    world.event('agent_degraded', agent, ago, { kind: 'loop', action }, 'It did the same 24 times.');
  await degraded('looper', 30, 'quarantined');
  await degraded('looper-again', 30, 'escalated');
  await degraded('well-again', 30, 'flagged');
  await world.event('agent_recovered', 'well-again', 20, { kind: 'loop' });
  const held = (subject: string) => ({ subject, kind: 'agent', by: 'person' });
  await world.event('quarantine_set', 'looper', 30, held('agent/looper'), 'posts rubbish');
  await world.event('quarantine_set', '', 60 * 24 * 20, held('upstream/site'), 'was broken into');
  await world.event('quarantine_set', 'let-go', 30, held('agent/let-go'), 'by mistake');
  await world.event('quarantine_lifted', 'let-go', 20, held('agent/let-go'));
  await world.event('quarantine_set', 'over', 30, held('agent/over'), 'for a while');
  await world.event('quarantine_expired', 'over', 20, held('agent/over'));
  [found, failing] = await oneRound();
});
afterAll(() => world.close());

function recentCalls(): Call[] {
  return [
    // task-overspent: at most $50, or what the agent's own task budgets say
    ...times(3, () => ({ agent: 'lavish', ago: 40, task: 'big', dollars: 17 })),
    { agent: 'lavish', ago: 40, task: 'small', dollars: 49 },
    { agent: 'spender', ago: 40, task: 'over-ten', dollars: 10.5 },
    { agent: 'spender', ago: 40, task: 'under-ten', dollars: 9.5 },
    // budget-overrun: more than was held, where anything was
    { agent: 'overrun', ago: 1, dollars: 0.5, held: 0.25 },
    { agent: 'overrun', ago: 2, dollars: 0.3, held: 0.25 },
    { agent: 'within', ago: 1, dollars: 0.25, held: 0.25 },
    { agent: 'unheld', ago: 1, dollars: 0.25, held: 0 },
    // prohibited-act, in whatever mode
    ...times(2, () => ({
      agent: 'vandal',
      ago: 1,
      refusal: 'prohibited',
      rule: 'http DELETE https://db/**',
      target: 'DELETE https://db/x',
    })),
    { agent: 'pr-7', ago: 1, refusal: 'prohibited', mode: 'observe', target: 'DELETE https://db/y' },
    // both acts an hour ago, of which nobody could hear until now
    { agent: 'late', ago: 60, refusal: 'prohibited', target: 'DELETE https://db/late' },
    { agent: 'late', ago: 60, refusal: 'out_of_scope', target: 'GET https://late/' },
    // out-of-scope-act: not an explicit deny, not in observe mode
    { agent: 'wanderer', ago: 1, refusal: 'out_of_scope', target: 'GET https://new/' },
    {
      agent: 'denied',
      ago: 1,
      refusal: 'out_of_scope',
      rule: 'http DELETE https://cms/**',
      target: 'DELETE https://cms/1',
    },
    ...times(9, () => ({ agent: 'observed', ago: 1, mode: 'observe', wouldVerdict: 'deny' })),
    // error-rate: of at least five calls, in the last five minutes; refusals are no failures
    ...times(10, (i) => ({ agent: 'flaky', ago: 2, status: i < 6 ? 'failure' : 'success', task: 't' })),
    ...times(10, (i) => ({ agent: 'steady', ago: 2, status: i < 2 ? 'timeout' : 'success' })),
    ...times(4, () => ({ agent: 'rare', ago: 2, status: 'failure' })),
    ...times(9, () => ({ agent: 'recovered', ago: 10, status: 'failure' })),
    ...times(40, (i) => ({ agent: 'refused', ago: 2, ...(i < 6 ? {} : { refusal: 'over_budget' }) })),
    // task-overdue: four times 30 minutes
    ...times(4, (i) => ({ agent: 'slow', ago: 181 - 60 * i, task: 'stuck' })),
    { agent: 'slow', ago: 60, task: 'fine' },
    { agent: 'slow', ago: 180, task: 'over' },
    { agent: 'ender', ago: 180, task: 'silent' },
    { agent: 'idle', ago: 300, task: 'never ended, as all of its tasks' },
    { agent: 'nobody-expects', ago: 300, task: 'endless' },
    { agent: 'nobody-expects', ago: 1, task: 'endless' },
    // credential-failed
    { agent: 'locked', ago: 1, refusal: 'no_credential', credential: 'cms' },
    { agent: 'expired', ago: 1, httpStatus: 401, status: 'failure', credential: 'openai' },
    {
      agent: 'barred',
      ago: 1,
      httpStatus: 403,
      status: 'failure',
      credential: 'anthropic',
      action: 'llm_inference',
    },
    { agent: 'visitor', ago: 1, httpStatus: 403, status: 'failure', credential: 'site' },
    // ledger-unreachable
    { agent: 'poor', ago: 4, refusal: 'ledger_unreachable' },
    { agent: 'poor', ago: 1, refusal: 'ledger_unreachable' },
    { agent: 'briefly-poor', ago: 1, refusal: 'ledger_unreachable' },
    // rate-limited: by the provider, not by us
    ...times(3, () => ({ agent: 'hasty', ago: 1, httpStatus: 429, status: 'failure' })),
    ...times(3, () => ({ agent: 'hurried', ago: 1, httpStatus: 429, refusal: 'rate_limited' })),
    // circuit-open: whoever waits for it
    ...times(3, (i) => ({ agent: `waiting-${i % 2}`, ago: 1, refusal: 'circuit_open' })),
    { agent: 'waited', ago: 20, refusal: 'circuit_open' },
    // provider-quota: as the provider said it, and as we say it to the next
    { agent: 'broke', ago: 2, httpStatus: 429, status: 'failure', errorType: 'insufficient_quota' },
    { agent: 'broke', ago: 1, httpStatus: 429, refusal: 'rate_limited', reason: 'provider_quota' },
    // token-burn
    ...times(5, (i) => ({ agent: 'burner', ago: 2 + i, tokens: 10_000 })),
    ...times(5, (i) => ({ agent: 'even', ago: 2 + i, tokens: 10_000 })),
    ...times(5, (i) => ({ agent: 'newcomer', ago: 2 + i, tokens: 10_000 })),
    // credential-unusual
    { agent: 'even', ago: 1, credential: 'mail' },
  ];
}

/** Two days ago, two hours of work a minute apart. */
function pastCalls(): Call[] {
  return [
    ...times(120, (i) => ({ agent: 'burner', ago: 2 * DAY + i, tokens: 500, credential: 'known' })),
    ...times(120, (i) => ({ agent: 'even', ago: 2 * DAY + i, tokens: 9_000, credential: 'known' })),
    { agent: 'burner', ago: 1, credential: 'known' },
  ];
}

function longAgoCalls(): Call[] {
  return [
    { agent: 'vandal', ago: 30, refusal: 'prohibited', target: 'DELETE https://db/long-ago' },
    { agent: 'wanderer', ago: 30, refusal: 'out_of_scope', target: 'GET https://long-ago/' },
  ];
}

function chains(): Call[] {
  const gap = chain('gap', 9).filter(({ sealed }) => sealed!.seq !== 4);
  const altered = chain('altered', 9).map((call) =>
    call.sealed!.seq === 5 ? { ...call, sealed: { ...call.sealed!, entry: `${call.sealed!.entry} ` } } : call,
  );
  const [, second] = chain('other', 2);
  const forked = [
    ...chain('forked', 9),
    { ...second!, agent: 'forked', sealed: { ...second!.sealed!, stream: 'forked', seq: 3 } },
  ];
  // a call that ran for three hours began before the window and stands in the middle of the numbers
  const whole = chain('whole', 60, { first: 500 }).map((call) =>
    call.sealed!.seq === 530 ? { ...call, ago: 180 } : call,
  );
  return [...gap, ...altered, ...forked, ...whole];
}

async function oneRound(): Promise<[ReadonlyMap<string, Incident[]>, ReadonlyMap<string, string>]> {
  const kept: Incident[] = [];
  const book = {
    open: async () => [],
    silences: async () => [],
    lastFired: async () => [],
    keep: async (steps) => void kept.push(...steps.map(({ incident }) => incident)),
  } as Partial<Book> as Book;
  const evaluation = createEvaluation({
    definitions: alerts,
    config: () => config,
    scene: { fleet: 'test', consoleUrl: 'http://127.0.0.1:4319' },
    pace: 1,
    book,
    ask: (sql, parameters) => world.store.query(sql, parameters),
    figures: FIGURES,
    log: silentLog,
  });
  await evaluation.round(NOW_MS);
  return [Map.groupBy(kept, ({ alert }) => alert), evaluation.failing()];
}

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'task-overspent': ['Task big of lavish has spent $51.00', 'Task over-ten of spender has spent $10.50'],
  'prohibited-act': [
    'late attempted what is prohibited: DELETE https://db/late',
    'pr-7 attempted what is prohibited: DELETE https://db/y',
    'vandal attempted what is prohibited: DELETE https://db/x',
  ],
  'out-of-scope-act': [
    'late attempted GET https://late/, which nothing allows',
    'wanderer attempted GET https://new/, which nothing allows',
  ],
  'budget-overrun': [
    'overrun paid $0.5 for a call to GET https://site.example/ that was held at $0.25: 2 such calls',
  ],
  'error-rate': ["60 % of flaky's 10 calls failed"],
  'task-overdue': ['Task silent of ender has run for 3 h 0 min', 'Task stuck of slow has run for 3 h 1 min'],
  'credential-failed': [
    'Credential anthropic failed 1 times, the provider refused it',
    'Credential cms failed 1 times, it could not be read',
    'Credential openai failed 1 times, the provider refused it',
  ],
  'ledger-unreachable': ['poor could draw no budget for 3 min'],
  'record-missing': [
    'Record 3 of stream forked of forked is not the one that was linked',
    'Record 4 of stream gap of gap is missing',
    'Record 5 of stream altered of altered is altered',
  ],
  'chain-broken': [
    'cloned: two records with one number in the chain of records cloned/host/1',
    'unlucky: records were lost in the chain of records unlucky/host/2',
  ],
  'rate-limited': ['site has answered 4 calls with 429'],
  'circuit-open': ['site keeps failing: 3 calls of 2 agents were refused'],
  'provider-quota': ['site says that its quota is used up, to 2 calls'],
  'token-burn': ['burner burns 10000 tokens a minute, 20.0 times its own normal'],
  'queue-growing': ['The queue of rising grows: 26 wait'],
  'confidence-low': ["unsure's confidence is 0.3 on average"],
  'tool-changed': ['files changed its tool read_file: it is hidden and refused until somebody accepts it'],
  'mode-changed': ['anna set the mode of loose to observe: a new tool'],
  'credential-unusual': [
    'barred used credential anthropic for the first time',
    'even used credential mail for the first time',
    'expired used credential openai for the first time',
    'visitor used credential site for the first time',
  ],
  'agent-degraded': ['looper degrades (quarantined): It did the same 24 times.'],
  'agent-not-held': ['looper-again degrades and is held apart by nobody: It did the same 24 times.'],
  'quarantine-set': [
    'agent/looper is in quarantine, by anna: posts rubbish',
    'upstream/site is in quarantine, by anna: was broken into',
  ],
  // what the ledger and the roster say is asked in figures.test.ts
  'budget-near': [],
  'budget-used-up': [],
  'fleet-budget-used-up': [],
  'collector-unreachable': [],
  'retention-halted': [],
  'sums-in-doubt': [],
  'records-set-aside': [],
  'collector-refuses': [],
  'audit-log-behind': [],
  'anchor-failing': [],
  'dead-letter': [],
};

describe('who spent a budget', () => {
  const line = {
    unit: 'nanodollars',
    window: 'day',
    starts_at: new Date(NOW_MS - DAY * 60_000).toISOString(),
  };
  const spentBy = (of: Partial<BudgetLine>): Promise<string> =>
    createSpenders(
      (sql, parameters) => world.store.query(sql, parameters),
      manualClock(NOW_MS),
    )({
      ...line,
      ...of,
    } as BudgetLine);

  it('is found at every level, dearest first', async () => {
    expect(await spentBy({ level: 'agent', name: 'lavish' })).toBe(
      'agents: lavish $100.00; tasks: lavish/big $51.00, lavish/small $49.00',
    );
    expect(await spentBy({ level: 'task', name: 'lavish/big', starts_at: null })).toBe(
      'agents: lavish $51.00; tasks: lavish/big $51.00',
    );
    expect(await spentBy({ level: 'department', name: 'nobody' })).toBe('');
    expect(await spentBy({ level: 'agent', name: 'burner', unit: 'tokens' })).toMatch(
      /^agents: burner [\d,]+ tokens/,
    );
  });
});

describe('a fleet’s past', () => {
  it('can be asked every question', () => {
    expect(Object.fromEntries(failing)).toEqual({});
    expect(Object.keys(EXPECTED).sort()).toEqual(alerts.map(({ id }) => id).sort());
  });

  it.each(Object.entries(EXPECTED))('%s finds exactly what is wrong', (id, expected) => {
    expect((found.get(id) ?? []).map(({ summary }) => summary).sort()).toEqual(expected);
  });

  it('names agent, task and owner', () => {
    const [lavish] = found.get('task-overspent')!;
    expect(lavish).toMatchObject({
      agent: 'lavish',
      task: 'big',
      key: 'lavish/big',
      details: { spend: '51' },
    });
    expect(found.get('task-overspent')![1]).toMatchObject({ agent: 'spender', owner: 'leads' });
    const press = found.get('prohibited-act')!.find(({ agent }) => agent === 'pr-7');
    expect(press).toMatchObject({ owner: 'press' });
    expect(found.get('prohibited-act')!.find(({ agent }) => agent === 'vandal')!.details).toMatchObject({
      rule: 'http DELETE https://db/**',
    });
  });
});
