// Finds what a subject may have harmed. What it touched is in the actions; who worked on with what it said is found by
// following, from each agent that is reached and from then on, who asked it and whom it asked.
//
//   subject ──▶ agents that are it or used it ──▶ whom they asked, who asked them, who shares a trace ──▶ …

import type { BlastRadius, Reached, Touched, TouchedTask } from '../../contract/blast-radius.ts';
import { keyOf, type QuarantineSubject } from '../../contract/quarantine.ts';

export type Ask = <T>(sql: string, parameters: Record<string, unknown>) => Promise<T[]>;

interface Asked {
  readonly text: string;
  readonly subject: QuarantineSubject;
  readonly sinceMs: number;
}

const TOUCHED_MAX = 500;
const TASKS_MAX = 200;
const EDGES_MAX = 20_000;
const CREDENTIALS_MAX = 100;
const STEPS_MAX = 8;

/** Subjects that are agents; the rest is used by them. */
const IS_AGENT: ReadonlySet<string> = new Set(['fleet', 'agent', 'task']);
const LET_THROUGH = `status IN ('success', 'failure', 'timeout')`;
/** Reading methods of HTTP, inference, and what a tool server tells of itself change nothing. */
const MAY_CHANGE = `(${LET_THROUGH} AND multiIf(
  action_type = 'api_call', NOT match(target, '^(GET|HEAD|OPTIONS) '),
  action_type = 'tool_use', NOT endsWith(target, ')'),
  action_type = 'handoff'))`;
const iso = (time: string): string => `formatDateTime(${time}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')`;
const TIMES = `${iso('min(actions.timestamp)')} AS first_seen, ${iso('max(actions.timestamp)')} AS last_seen`;

/** Its own calls, as a condition over `actions`. Names match as they do at the sidecar: `*` is any run of characters. */
const CONDITIONS = {
  fleet: '1',
  agent: 'match(agent_id, {key:String})',
  task: `match(concat(agent_id, '/', task_id), {key:String})`,
  upstream: 'match(upstream, {key:String})',
  model: `(match(target, {key:String}) OR match(concat(upstream, '/', model), {key:String}))`,
  tool: 'match(target, {key:String})',
} as const satisfies Record<QuarantineSubject['kind'], string>;

export async function blastRadius(ask: Ask, { text, subject, sinceMs }: Asked): Promise<BlastRadius> {
  const parameters = { key: patternOf(keyOf(subject)), since: sinceMs };
  const its = `${SINCE} AND ${CONDITIONS[subject.kind]}`;
  const [touched, tasks, credentials, users, askings, sharers] = await Promise.all([
    ask<Touched>(touchedSql(its), parameters),
    ask<TouchedTask>(tasksSql(its), parameters),
    ask<{ credential: string }>(
      `SELECT DISTINCT credential FROM actions WHERE ${its} AND credential != '' AND ${LET_THROUGH}
       ORDER BY credential LIMIT ${CREDENTIALS_MAX}`,
      parameters,
    ),
    ask<User>(usersSql(its), parameters),
    ask<Edge>(ASKINGS, parameters),
    ask<Edge>(sharedTracesSql(its), parameters),
  ]);
  return {
    subject: text,
    since: new Date(sinceMs).toISOString(),
    touched: touched.slice(0, TOUCHED_MAX),
    agents: reachedFrom(users, [...askings, ...sharers], {
      how: IS_AGENT.has(subject.kind) ? 'itself' : 'used',
      by: text,
    }),
    tasks: tasks.slice(0, TASKS_MAX),
    credentials: credentials.map(({ credential }) => credential),
    more:
      touched.length > TOUCHED_MAX ||
      tasks.length > TASKS_MAX ||
      Math.max(askings.length, sharers.length) >= EDGES_MAX,
  };
}

/** As a regular expression of RE2, whole. */
const patternOf = (key: string): string =>
  `^${key.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replace(/\*+/g, '.*')}$`;

const touchedSql = (its: string): string => `
  SELECT target, upstream, agent_id AS agent, toInt32(count()) AS calls, toInt32(countIf(${MAY_CHANGE})) AS changes,
    toInt32(countIf(status IN ('refused', 'escalated'))) AS refused,
    toString(toInt64(sum(ifNull(cost_usd, 0)) * 1000000000)) AS cost_nanodollars, ${TIMES}
  FROM actions WHERE ${its}
  GROUP BY target, upstream, agent_id
  ORDER BY changes DESC, calls DESC, target, agent LIMIT ${TOUCHED_MAX + 1}`;

const tasksSql = (its: string): string => `
  SELECT agent_id AS agent, task_id AS task, toInt32(count()) AS calls, toInt32(countIf(${MAY_CHANGE})) AS changes, ${TIMES}
  FROM actions WHERE ${its} AND task_id != '' AND ${LET_THROUGH}
  GROUP BY agent_id, task_id
  ORDER BY changes DESC, last_seen DESC LIMIT ${TASKS_MAX + 1}`;

interface User {
  readonly agent: string;
  readonly calls: number;
  readonly first: number;
  readonly last: number;
}

/** Whoever was let through to it; an agent itself also where all it tried was refused. */
const usersSql = (its: string): string => `
  SELECT agent_id AS agent, toInt32(count()) AS calls, toFloat64(toUnixTimestamp64Milli(min(actions.timestamp))) AS first,
    toFloat64(toUnixTimestamp64Milli(max(actions.timestamp))) AS last
  FROM actions WHERE ${its} AND ${LET_THROUGH}
  GROUP BY agent_id ORDER BY calls DESC, agent LIMIT 1000`;

interface Edge extends User {
  readonly how: Exclude<Reached['how'], 'itself' | 'used'>;
  readonly by: string;
}

const SINCE = 'timestamp >= fromUnixTimestamp64Milli({since:Int64})';
const FOUND = `toInt32(calls) AS calls, toFloat64(toUnixTimestamp64Milli(edges.first)) AS first,
    toFloat64(toUnixTimestamp64Milli(edges.last)) AS last`;
const EARLIEST = `ORDER BY edges.first, agent, by LIMIT ${EDGES_MAX}`;

/** Every asking since then, both ways round. */
const ASKINGS = `
  SELECT way.1 AS agent, way.2 AS by, way.3 AS how, ${FOUND}
  FROM (
    SELECT count() AS calls, min(actions.timestamp) AS first, max(actions.timestamp) AS last, arrayJoin([
      (toString(agent_id), toString(caller_agent), 'was asked by'),
      (toString(caller_agent), toString(agent_id), 'asked')
    ]) AS way
    FROM actions WHERE ${SINCE} AND caller_agent != '' AND caller_agent != agent_id
    GROUP BY caller_agent, agent_id
  ) AS edges
  ${EARLIEST}`;

/** Who came later in a trace of the subject's own calls, or began a trace there. Its own calls are few: the join holds only them. */
const sharedTracesSql = (its: string): string => `
  SELECT toString(edges.agent_id) AS agent, toString(edges.own_agent) AS by, 'shared a trace with' AS how, ${FOUND}
  FROM (
    SELECT later.agent_id AS agent_id, own.agent_id AS own_agent, count() AS calls,
      min(later.timestamp) AS first, max(later.timestamp) AS last
    FROM (
      SELECT agent_id, timestamp, trace_id FROM actions WHERE ${SINCE} AND ${LET_THROUGH}
      UNION ALL
      SELECT agent_id, timestamp, parent_trace_id FROM actions
      WHERE ${SINCE} AND ${LET_THROUGH} AND parent_trace_id != '' AND parent_trace_id != trace_id
    ) AS later
    INNER JOIN (
      SELECT agent_id, trace_id, min(actions.timestamp) AS began FROM actions
      WHERE ${its} AND ${LET_THROUGH} AND trace_id != '' GROUP BY agent_id, trace_id
    ) AS own ON later.trace_id = own.trace_id
    WHERE later.agent_id != own.agent_id AND later.timestamp >= own.began
    GROUP BY later.agent_id, own.agent_id
  ) AS edges
  ${EARLIEST}`;

/**
 * Breadth first, so that each agent stands with its shortest way. An edge counts from when its source was reached: what
 * was asked before that carried nothing. `how` prefers an asking to a shared trace, as the edges are tried in that order.
 */
export function reachedFrom(
  users: readonly User[],
  edges: readonly Edge[],
  first: Pick<Reached, 'how' | 'by'>,
): readonly Reached[] {
  const reached = new Map<string, Reached & { readonly fromMs: number }>();
  for (const { agent, calls, first: fromMs, last } of users)
    reached.set(agent, { agent, steps: 0, ...first, calls, ...span(fromMs, last), fromMs });
  const ordered = edges.toSorted((a, b) => orderOf(a) - orderOf(b));
  for (let steps = 1, before = 0; steps <= STEPS_MAX && before < reached.size; steps += 1) {
    before = reached.size;
    for (const { agent, by, how, calls, first: firstMs, last } of ordered) {
      const source = reached.get(by);
      if (!source || source.steps !== steps - 1 || reached.has(agent) || last < source.fromMs) continue;
      const fromMs = Math.max(firstMs, source.fromMs);
      reached.set(agent, { agent, steps, how, by, calls, ...span(fromMs, last), fromMs });
    }
  }
  return [...reached.values()].map(({ fromMs: _, ...shown }) => shown);
}

const orderOf = ({ how }: Edge): number => (how === 'shared a trace with' ? 1 : 0);
const span = (firstMs: number, lastMs: number): { since: string; last_seen: string } => ({
  since: new Date(firstMs).toISOString(),
  last_seen: new Date(lastMs).toISOString(),
});
