// The fleet's metrics out of a real store: what is loaded while the collector runs is counted, under the config's entries.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type FleetMetrics,
  ROUND_EVERY_MS,
  startFleetMetrics,
} from '../../../collector/rollups/fleet-metrics.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../contract/attributes.ts';
import type { BudgetLine } from '../../../contract/budget.ts';
import type { Log } from '../../../kit/log.ts';
import { exposition } from '../../../kit/metrics.ts';
import { familiesIn, seriesValue } from '../../support/exposition.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/processes.ts';
import { promtoolComplaints } from '../../support/promtool.ts';
import { configOf } from '../control/bench.ts';
import { type OpenedStore, openTestStore } from '../store/open.ts';
import { type Attributes, requestBytes } from '../store/otlp.ts';

let opened: OpenedStore;
let clock: ManualClock;
let metrics: FleetMetrics;
let budgets: readonly BudgetLine[] = [];
const warnings: string[] = [];

const log: Log = {
  info: () => undefined,
  warn: (event) => void warnings.push(event),
  error: () => undefined,
};

let loaded = 0;
/** One call of an agent, over a second ago, as a segment of its own. */
async function call(attributes: Attributes, durationMs = 500): Promise<void> {
  loaded += 1;
  const startUnixNano = BigInt(clock.nowMs() - 1_000) * 1_000_000n;
  const span = {
    traceId: Buffer.alloc(16, 7),
    spanId: Buffer.alloc(8, loaded),
    name: 'chat',
    startUnixNano,
    endUnixNano: startUnixNano + BigInt(durationMs) * 1_000_000n,
    attributes: {
      [A.callId]: `call-${loaded}`,
      [A.status]: 'success',
      [A.task]: `task-${loaded}`,
      ...attributes,
    },
  };
  const request = requestBytes({ scope: { name: SCOPE_NAME }, spans: [span] });
  const receivedAt = BigInt(clock.nowMs()) * 1_000_000n;
  await opened.store.load(opened.segment(`segment-${loaded}`, [request], 'scout/host', receivedAt));
}

async function shown(): Promise<string> {
  return (await exposition(metrics.families())).text;
}

/** Turns the clock from round to round until a series says so. */
async function nextRound(series: string, value: number): Promise<string> {
  const turn = (): Promise<string> => {
    clock.advance(ROUND_EVERY_MS);
    return shown();
  };
  return until(turn, (text) => seriesValue(text, series) === value);
}

/** What a month will come to changes by the second while it is young; and what is stored may not be long past. */
function middleOfMonth(): number {
  const today = new Date();
  return Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), 14, 12, 30);
}

beforeAll(async () => {
  opened = await openTestStore();
  clock = manualClock(middleOfMonth());
  await call({ [A.agent]: 'scout', [A.model]: 'gpt-5-mini', [A.cost]: 5_000_000_000 });
  const config = await configOf(
    'budgets: [$1000/month, 9M tokens/day]\nagents: { scout: { role: any }, pr-*: { role: any }, pr-lead: { role: any } }',
  );
  metrics = startFleetMetrics({
    opened: Promise.resolve(),
    query: (statement, parameters) => opened.store.query(statement, parameters),
    budgets: async () => budgets,
    agents: () => [
      { name: 'scout', instance: 'a', mode: 'enforce', last_seen: '', health: 'ok', policy: '' },
      { name: 'scout', instance: 'b', mode: 'enforce', last_seen: '', health: 'away', policy: '' },
    ],
    letters: async () => ({ open: 2, queued: 0, replaying: 0, replayed: 1, recovered: 0, discarded: 0 }),
    config: () => config,
    clock,
    log,
  });
  await metrics.begun;
});
afterAll(async () => {
  await metrics.stop();
  await opened.close();
});

test('what was stored before the start counts as nothing', async () => {
  const text = await shown();
  expect(seriesValue(text, 'outrider_fleet_calls_total{agent="scout",status="success"}')).toBe(0);
  expect(seriesValue(text, 'outrider_fleet_refusals_total{agent="pr-*",refusal="prohibited"}')).toBe(0);
  expect(seriesValue(text, 'outrider_agents{health="away"}')).toBe(1);
  expect(seriesValue(text, 'outrider_agents{health="degraded"}')).toBe(0);
  expect(seriesValue(text, 'outrider_dead_letters{state="open"}')).toBe(2);
});

test('what is stored from then on is counted, by entry', async () => {
  const spent = {
    [A.model]: 'gpt-5-mini',
    [A.cost]: 1_500_000_000,
    [A.inputTokens]: 900,
    [A.outputTokens]: 100,
  };
  await call({ [A.agent]: 'pr-1', ...spent });
  await call({ [A.agent]: 'pr-2', ...spent });
  await call({ [A.agent]: 'pr-lead', ...spent });
  await call({
    [A.agent]: 'scout',
    [A.status]: 'refused',
    [A.refusal]: 'out_of_scope',
    [A.model]: 'made-up',
  });
  const text = await nextRound('outrider_fleet_calls_total{agent="pr-*",status="success"}', 2);
  expect(seriesValue(text, 'outrider_fleet_calls_total{agent="pr-lead",status="success"}')).toBe(1);
  expect(seriesValue(text, 'outrider_fleet_refusals_total{agent="scout",refusal="out_of_scope"}')).toBe(1);
  expect(seriesValue(text, 'outrider_fleet_cost_dollars_total{agent="pr-*",model="gpt-5-mini"}')).toBe(3);
  expect(seriesValue(text, 'outrider_fleet_tokens_total{agent="pr-*",model="gpt-5-mini",type="input"}')).toBe(
    1800,
  );
  expect(seriesValue(text, 'outrider_fleet_tasks_total{agent="pr-*",state="begun"}')).toBe(2);
  expect(text).not.toContain('made-up');
});

test('durations of the last hour stand beside their sum and count', async () => {
  const text = await shown();
  expect(seriesValue(text, 'outrider_fleet_call_duration_seconds{agent="pr-*",quantile="0.95"}')).toBe(0.5);
  expect(seriesValue(text, 'outrider_fleet_call_duration_seconds_sum{agent="pr-*"}')).toBe(1);
  expect(seriesValue(text, 'outrider_fleet_call_duration_seconds_count{agent="pr-*"}')).toBe(2);
});

test('two days later the counters stand where they stood, and go on', async () => {
  clock.advance(49 * 3_600_000);
  await call({ [A.agent]: 'pr-1' });
  const text = await nextRound('outrider_fleet_calls_total{agent="pr-*",status="success"}', 3);
  expect(seriesValue(text, 'outrider_fleet_calls_total{agent="pr-lead",status="success"}')).toBe(1);
  await call({ [A.agent]: 'pr-1' });
  await nextRound('outrider_fleet_calls_total{agent="pr-*",status="success"}', 4);
});

test('budgets are shown with what they will come to', async () => {
  const month = {
    level: 'fleet',
    name: 'test',
    window: 'month',
    unit: 'nanodollars',
    raised: '0',
    starts_at: null,
    resets_at: null,
    projected: null,
    projected_by_last_hour: null,
    used_up_at: null,
  } as const;
  budgets = [
    { ...month, limit: '1000000000000', posted: '250000000000', held: '1000000000' },
    { ...month, level: 'agent', name: 'pr-1', limit: '10000000000', posted: '1000000000', held: '0' },
    { ...month, level: 'agent', name: 'pr-2', limit: '10000000000', posted: '9000000000', held: '0' },
    { ...month, level: 'task', name: 'pr-2/t', limit: '1', posted: '1', held: '0' },
    { ...month, unit: 'tokens', window: 'day', limit: '9000000', posted: '90', held: '0' },
  ];
  const fleet = '{level="fleet",name="test",window="month"}';
  const text = await nextRound(`outrider_budget_spent_dollars${fleet}`, 250);
  expect(seriesValue(text, `outrider_budget_limit_dollars${fleet}`)).toBe(1000);
  expect(seriesValue(text, `outrider_budget_held_dollars${fleet}`)).toBe(1);
  const projected = seriesValue(text, `outrider_budget_projected_dollars${fleet}`) ?? 0;
  const date = new Date(clock.nowMs());
  const [from, to] = [0, 1].map((more) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + more));
  // to a cent: the clock was turned since the round
  expect(projected).toBeCloseTo((250 * (to! - from!)) / (clock.nowMs() - from!), 1);
  expect(seriesValue(text, 'outrider_budget_spent_dollars{level="agent",name="pr-*",window="month"}')).toBe(
    9,
  );
  expect(seriesValue(text, 'outrider_budget_spent_tokens{level="fleet",name="test",window="day"}')).toBe(90);
  expect(text).not.toContain('level="task"');
});

test('Prometheus has nothing to complain of, and a question that fails is said once', async () => {
  const text = await shown();
  expect(promtoolComplaints(text)).toBe('');
  expect(new Set(familiesIn(text)).size).toBe(familiesIn(text).length);
  expect(warnings.filter((event) => event !== 'fleet_metrics.stale')).toEqual([]);
});
