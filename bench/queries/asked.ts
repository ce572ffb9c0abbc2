// What people ask the store: the pages of the console, every SQL panel of the dashboards, the questions of docs/sql and the
// views by themselves. The console's queries are heard from its own routes, so that none is copied here.

import { Hono } from 'hono';
import { showAgent } from '../../collector/api/agent.ts';
import { listCalls } from '../../collector/api/calls.ts';
import { showFleet } from '../../collector/api/fleet.ts';
import { showTrace } from '../../collector/api/traces.ts';
import { blastRadius } from '../../collector/rollups/blast-radius.ts';
import type { Store } from '../../collector/store/store.ts';
import { parseConfig } from '../../contract/config/parse.ts';
import { systemClock } from '../../kit/clock.ts';
import { everyQuestion } from '../../test/dashboards/dashboard-files.ts';
import { expandSql } from '../../test/dashboards/macros.ts';
import { ask, type Parameters, readQuestions } from '../../test/sql/questions.ts';
import { rows } from '../../test/support/processes.ts';

export interface Asked {
  readonly where: string;
  /** Resolves when the whole answer is there. */
  ask(): Promise<unknown>;
}

/** One of what is stored, for those who ask about one. */
interface Found {
  readonly agent: string;
  readonly task: string;
  readonly call: string;
  readonly trace: string;
}
export type Example = Found & Parameters & { readonly since: string };

const RANGES = ['24h', '30d'] as const;
const DAY_SECONDS = 86_400;

export async function exampleOf(door: string, until: number): Promise<Example> {
  const [found] = await rows<Found>(
    door,
    `SELECT agent_id AS agent, task_id AS task, call_id AS call, trace_id AS trace FROM actions
     WHERE timestamp >= toDateTime(${until - 3 * DAY_SECONDS}) AND parent_trace_id != '' AND status = 'success' ORDER BY timestamp LIMIT 1`,
  );
  if (!found) throw new Error('nothing is stored there to ask about');
  const day = (seconds: number) => new Date(seconds * 1000).toISOString();
  return {
    ...found,
    since: day(until - 7 * DAY_SECONDS),
    usual_since: day(until - 30 * DAY_SECONDS),
    until: day(until),
    at_least: '5',
    idle_minutes: '60',
    upstream: 'files',
    from_hour: '20',
    to_hour: '6',
  };
}

/** Each query that a page of the console asks, by itself. */
export async function ofConsole(store: Store, of: Example): Promise<Asked[]> {
  const { config } = await parseConfig([{ file: 'outrider.yaml', text: 'fleet: bench\nbudgets: none\n' }]);
  const heard: { page: string; sql: string; parameters: Record<string, unknown> }[] = [];
  let page = '';
  const hearing: Store = {
    ...store,
    query: (sql, parameters = {}) => {
      heard.push({ page, sql, parameters });
      return store.query(sql, parameters);
    },
  };
  const api = new Hono();
  api.get(
    '/fleet',
    showFleet(hearing, () => config, systemClock),
  );
  api.get(
    '/agents/:name',
    showAgent(hearing, () => config, systemClock),
  );
  api.get('/calls', listCalls(hearing, systemClock));
  api.get('/traces/:id', showTrace(hearing));
  const pages = [
    ...RANGES.flatMap((range) => [
      `/fleet?range=${range}`,
      `/agents/${of.agent}?range=${range}`,
      `/calls?range=${range}`,
      `/calls?range=${range}&agent=${of.agent}&status=failure`,
      `/calls?range=${range}&task=${of.task}`,
      `/calls?range=${range}&text=over_budget`,
    ]),
    `/traces/${of.trace}`,
  ];
  for (page of pages) {
    const answer = await api.request(page);
    if (answer.status !== 200) throw new Error(`${page}: ${answer.status} ${await answer.text()}`);
  }
  page = 'blast radius, 7 days';
  await blastRadius((sql, parameters) => hearing.query(sql, parameters), {
    text: `agent/${of.agent}`,
    subject: { kind: 'agent', owner: of.agent, name: '' },
    sinceMs: Date.parse(of.since),
  });
  return heard.map(({ page: on, sql, parameters }, at) => ({
    where: `console ${on} · ${tableOf(sql)} (${at})`,
    ask: () => store.query(sql, parameters),
  }));
}

const tableOf = (sql: string): string => /\bFROM\s+(\w+)/.exec(sql)?.[1] ?? '';

export function ofDashboards(door: string, until: number): Asked[] {
  const spans = [
    { name: '6h', seconds: 6 * 3600, stepSeconds: 60 },
    { name: '30d', seconds: 30 * DAY_SECONDS, stepSeconds: 3600 },
  ];
  return everyQuestion()
    .filter(({ kind }) => kind === 'sql')
    .flatMap(({ where, text }) =>
      spans.map(({ name, seconds, stepSeconds }) => {
        const picked = { fromMs: (until - seconds) * 1000, toMs: until * 1000, stepSeconds };
        const sql = expandSql(text, { ...picked, variables: { agent: [], department: [] } });
        return { where: `dashboard ${where}, ${name}`, ask: () => rows(door, sql) };
      }),
    );
}

export function ofAuditors(door: string, of: Example): Asked[] {
  const questions = readQuestions().map((question) => ({
    where: `docs/sql/${question.name}`,
    ask: () => ask(door, question, of),
  }));
  return [
    ...questions,
    ...Object.entries(views(of)).map(([where, sql]) => ({ where, ask: () => rows(door, sql) })),
  ];
}

const views = ({ agent, task, trace, since }: Example): Readonly<Record<string, string>> => ({
  'actions of an agent, newest': `SELECT * FROM actions WHERE agent_id = '${agent}' ORDER BY timestamp DESC LIMIT 100`,
  'tasks, one': `SELECT * FROM tasks WHERE agent_id = '${agent}' AND task_id = '${task}'`,
  'tool_requests of an agent': `SELECT * FROM tool_requests WHERE agent_id = '${agent}' ORDER BY timestamp DESC LIMIT 100`,
  policies: 'SELECT * FROM policies ORDER BY in_force_from DESC LIMIT 100',
  'budget_entries of an agent': `SELECT * FROM budget_entries WHERE agent_id = '${agent}' AND at >= parseDateTime64BestEffort('${since}', 3) ORDER BY at DESC LIMIT 100`,
  'lineage of a piece of work': `SELECT * FROM lineage WHERE work_id = '${trace}'`,
  'agent_bom of an agent': `SELECT * FROM agent_bom WHERE agent_id = '${agent}'`,
  agent_edges: 'SELECT * FROM agent_edges ORDER BY calls DESC LIMIT 100',
  tools: `SELECT tool, sum(calls) FROM tools WHERE hour >= parseDateTimeBestEffort('${since}') GROUP BY tool`,
  'calls_1h of an agent': `SELECT time, sum(calls), sum(cost_nanodollars) / 1e9 AS usd FROM calls_1h WHERE agent_id = '${agent}' GROUP BY time ORDER BY time`,
  control_events: `SELECT * FROM control_events WHERE timestamp >= parseDateTime64BestEffort('${since}', 3) ORDER BY timestamp DESC LIMIT 100`,
  'span_messages of a trace': `SELECT SpanName, attribute, messages FROM span_messages WHERE TraceId = '${trace}'`,
});
