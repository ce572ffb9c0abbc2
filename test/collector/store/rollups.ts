// What every rollup must equal: the same sums taken from `actions` anew. Each query answers one row of two equal texts,
// so that a difference shows both. Quantiles are left out: a digest is not exact, and has a test of its own.

import type { Store } from '../../../collector/store/store.ts';

const DIMENSIONS =
  'agent_id, department, owner, upstream, model, action_type, status, refusal, verdict, would_verdict';
const NANODOLLARS = 'toInt64(toDecimal128(ifNull(cost_usd, 0), 9) * 1000000000)';
const TOKENS = ['tokens_in', 'tokens_out', 'tokens_cached'];

/** Durations are sums of floats, whose order differs: whole microseconds are compared. */
const microseconds = (sum: string) => `toInt64(round(${sum} * 1000))`;
const rowsOf = (select: string) => `(SELECT toString(groupArray(row)) FROM (${select} ORDER BY row))`;

function callsBy(table: string, startOf: string): readonly [string, string] {
  const kept = `SELECT (time, ${DIMENSIONS}, sum(calls), ${TOKENS.map((name) => `sum(${name})`).join(', ')},
    sum(cost_nanodollars), sum(unpriced), ${microseconds('sum(duration_ms)')}) AS row
    FROM ${table} GROUP BY time, ${DIMENSIONS}`;
  const anew = `SELECT (${startOf}(timestamp) AS time, ${DIMENSIONS}, count(),
    ${TOKENS.map((name) => `sum(ifNull(${name}, 0))`).join(', ')},
    sum(${NANODOLLARS}), countIf(cost_usd IS NULL), ${microseconds('sum(duration_ms)')}) AS row
    FROM actions GROUP BY time, ${DIMENSIONS}`;
  return [kept, anew];
}

const ROLLUPS: Readonly<Record<string, readonly [kept: string, anew: string]>> = {
  calls_1m: callsBy('calls_1m', 'toStartOfMinute'),
  calls_1h: callsBy('calls_1h', 'toStartOfHour'),
  tasks: [
    `SELECT (agent_id, task_id, fleet_id, department, owner, first_call, last_call, calls, failures, refusals, escalations,
      tokens_in, tokens_out, cost_usd, unpriced, models, distinct_targets) AS row FROM tasks`,
    `SELECT (agent_id, task_id, any(fleet_id), any(department), any(owner), min(timestamp), max(timestamp), count(),
      countIf(status IN ('failure', 'timeout')), countIf(status = 'refused'), countIf(status = 'escalated'),
      sum(ifNull(tokens_in, 0)), sum(ifNull(tokens_out, 0)), sum(toDecimal128(ifNull(cost_usd, 0), 9)),
      countIf(cost_usd IS NULL), arraySort(groupUniqArrayIf(toString(model), model != '')), uniqExact(target)) AS row
      FROM actions WHERE task_id != '' GROUP BY agent_id, task_id`,
  ],
  agent_edges: [
    'SELECT (caller_agent, agent_id, calls, first_seen, last_seen, tasks) AS row FROM agent_edges',
    `SELECT (caller_agent, agent_id, count(), min(timestamp), max(timestamp), uniqExact(task_id)) AS row
      FROM actions WHERE caller_agent != '' GROUP BY caller_agent, agent_id`,
  ],
  agent_bom: [
    "SELECT (agent_id, kind, name, calls, first_seen, last_seen) AS row FROM agent_bom WHERE kind NOT LIKE 'tool asked%'",
    `SELECT (agent_id, used.1, used.2, count(), min(timestamp), max(timestamp)) AS row FROM (
      SELECT agent_id, timestamp, arrayJoin([('upstream', toString(upstream)), ('credential', toString(credential)),
        ('version', toString(agent_version)), ('model', if(model = '', '', concat(upstream, '/', model))),
        ('tool', if(action_type = 'tool_use', target, '')),
        ('service', if(action_type = 'api_call', extract(target, '(https?://[^/]+)'), ''))]) AS used
      FROM actions WHERE status NOT IN ('refused', 'escalated')) WHERE used.2 != '' GROUP BY agent_id, used.1, used.2`,
  ],
  tools: [
    'SELECT (hour, agent_id, upstream, tool, calls, failures, refusals, escalations, cost_usd) AS row FROM tools',
    `SELECT (toStartOfHour(timestamp) AS hour, agent_id, upstream, target, count(),
      countIf(status IN ('failure', 'timeout')), countIf(status = 'refused'), countIf(status = 'escalated'),
      sum(toDecimal128(ifNull(cost_usd, 0), 9))) AS row
      FROM actions WHERE action_type = 'tool_use' GROUP BY hour, agent_id, upstream, target`,
  ],
};

export const ROLLUP_NAMES = Object.keys(ROLLUPS);

/** A rollup as it is kept, and as it comes out of `actions`. */
export async function rollupBothWays(
  store: Store,
  name: string,
): Promise<{ readonly kept: string; readonly anew: string }> {
  const [kept, anew] = ROLLUPS[name]!;
  const [row] = await store.query<{ kept: string; anew: string }>(
    `SELECT ${rowsOf(kept)} AS kept, ${rowsOf(anew)} AS anew`,
  );
  return row!;
}
