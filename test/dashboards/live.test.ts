// Every question of every dashboard, asked of real things: a fleet at work, its collector's SQL door, and a Prometheus that
// scrapes it. No panel may fail, none may be empty, and every declared metric must be there.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  COLLECTOR_METRICS,
  FLEET_METRICS,
  PROCESS_METRICS,
  SIDECAR_METRICS,
} from '../../contract/metrics.ts';
import { familiesIn, seriesValue } from '../support/exposition.ts';
import { until } from '../support/processes.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { promtoolComplaints } from '../support/promtool.ts';
import { everyQuery, type Outcome } from './every-query.ts';
import { type LivelyFleet, startLivelyFleet } from './lively-fleet.ts';

/** Rightly absent while all is well: there only while an alert, a circuit or a quota has something to say. */
const ABSENT_WHILE_WELL = [
  'outrider_alert_value',
  'outrider_circuit_state',
  'outrider_later_attempts_total',
  'outrider_quota_spent',
];
const PATIENCE_MS = 75_000;

let lively: LivelyFleet;
let prometheus: Prometheus;

beforeAll(async () => {
  lively = await startLivelyFleet();
  prometheus = await startPrometheus(lively.jobs);
});
afterAll(async () => {
  await prometheus?.stop();
  await lively?.stop();
});

const asked = (): Promise<Outcome[]> =>
  everyQuery({ sql: lively.fleet.sql, prometheus: prometheus.url }, { minutes: 5 });
const wanting = (outcomes: readonly Outcome[]): Outcome[] =>
  outcomes.filter(({ failure, rows }) => failure !== null || rows === 0);

test(
  'no panel fails and none is empty, while the fleet works',
  async () => {
    const end = performance.now() + PATIENCE_MS;
    let outcomes: Outcome[] = [];
    do {
      await lively.act();
      outcomes = await asked();
    } while (wanting(outcomes).length > 0 && performance.now() < end);
    expect(wanting(outcomes)).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(80);
  },
  PATIENCE_MS + 30_000,
);

test(
  'what metrics say is what the records say, to the call, the token and the cent',
  async () => {
    const disagreements = async () => {
      const recorded = await recordsAsMetrics();
      const urls = Object.values(lively.jobs).flat();
      const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
      const compared = recorded.map(([series, value]) => ({
        series,
        value,
        shown: seriesValue(texts.join('\n'), series),
      }));
      return compared.filter(({ value, shown = 0 }) => Math.abs(shown - value) > 1e-9);
    };
    await until(disagreements, (found) => found.length === 0, PATIENCE_MS);
    expect((await recordsAsMetrics()).length).toBeGreaterThan(15);
  },
  PATIENCE_MS + 30_000,
);

/** Series that both kinds of process must show, as the rows of `actions` add up to them. */
async function recordsAsMetrics(): Promise<[series: string, value: number][]> {
  const agent = "if(agent_id LIKE 'writer-%', 'writer-*', toString(agent_id)) AS agent";
  const sums = 'sum(tokens_in) AS input, sum(cost_usd) AS cost, count() AS calls';
  const byHow = await lively.fleet.query<{ agent: string; upstream: string; status: string; calls: string }>(
    `SELECT ${agent}, upstream, status, ${sums} FROM actions GROUP BY agent, upstream, status`,
  );
  const byModel = await lively.fleet.query<{
    agent: string;
    model: string;
    upstream: string;
    input: string;
    cost: string;
  }>(
    `SELECT ${agent}, model, upstream, ${sums} FROM actions WHERE cost_usd > 0 GROUP BY agent, model, upstream`,
  );
  const refused = await lively.fleet.query<{ agent: string; refusal: string; calls: string }>(
    `SELECT ${agent}, refusal, ${sums} FROM actions WHERE refusal != '' GROUP BY agent, refusal`,
  );
  const ended = await lively.fleet.query<{ agent: string; state: string; tasks: string }>(
    `SELECT ${agent}, state, count() AS tasks FROM tasks WHERE state != 'open' GROUP BY agent, state`,
  );
  return [
    ...ended.map(({ agent: a, state, tasks }): [string, number] => [
      `outrider_fleet_tasks_total{agent="${a}",state="${state}"}`,
      Number(tasks),
    ]),
    ...byHow.flatMap(({ agent: a, upstream, status, calls }): [string, number][] => [
      [`outrider_calls_total{agent="${a}",upstream="${upstream}",status="${status}"}`, Number(calls)],
    ]),
    ...byModel.flatMap(({ agent: a, model, upstream, input, cost }): [string, number][] => [
      [`outrider_cost_dollars_total{agent="${a}",upstream="${upstream}",model="${model}"}`, Number(cost)],
      [`outrider_fleet_cost_dollars_total{agent="${a}",model="${model}"}`, Number(cost)],
      [`outrider_fleet_tokens_total{agent="${a}",model="${model}",type="input"}`, Number(input)],
    ]),
    ...refused.flatMap(({ agent: a, refusal, calls }): [string, number][] => [
      [`outrider_refusals_total{agent="${a}",refusal="${refusal}"}`, Number(calls)],
      [`outrider_fleet_refusals_total{agent="${a}",refusal="${refusal}"}`, Number(calls)],
    ]),
  ];
}

test('one agent picked, or two and a department, is asked for as well as all', async () => {
  for (const variables of [{ agent: ['scout'] }, { agent: ['scout', 'writer-1'], department: ['lab'] }]) {
    const outcomes = await everyQuery({ sql: lively.fleet.sql, prometheus: prometheus.url }, { variables });
    expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([]);
  }
});

test('every declared metric is shown by the process that declares it, and promtool has no complaint', async () => {
  const shown = async (job: string): Promise<string[]> => {
    const texts = await Promise.all(
      lively.jobs[job]!.map(async (url) => (await fetch(`${url}/metrics`)).text()),
    );
    for (const text of texts) expect(promtoolComplaints(text)).toBe('');
    return [...new Set(texts.flatMap(familiesIn))].filter((name) => !ABSENT_WHILE_WELL.includes(name)).sort();
  };
  const declared = (...groups: object[]): string[] =>
    groups
      .flatMap((group) => Object.keys(group))
      .filter((name) => !ABSENT_WHILE_WELL.includes(name))
      .sort();
  expect(await shown('outrider-sidecar')).toEqual(declared(SIDECAR_METRICS, PROCESS_METRICS));
  expect(await shown('outrider-collector')).toEqual(
    declared(COLLECTOR_METRICS, FLEET_METRICS, PROCESS_METRICS),
  );
});
