// What the fleet metrics ask of the rollups, and the rows that come back. 64-bit integers come as text. `bounds` are
// moments in whole seconds; each group says since which of them it was summed.

import { QUANTILES } from '../../contract/metrics.ts';

export interface CallSums {
  readonly bound: number;
  readonly agent: string;
  readonly model: string;
  readonly status: string;
  readonly refusal: string;
  readonly count: string;
  readonly input: string;
  readonly output: string;
  readonly cached: string;
  readonly nanodollars: string;
  readonly milliseconds: number;
}

export interface TaskSums {
  readonly bound: number;
  readonly agent: string;
  readonly begun: string;
  readonly done: string;
  readonly failed: string;
  readonly seconds: number;
}

/** In the order of QUANTILES, seconds. */
export interface Quantiles {
  readonly agent: string;
  readonly seconds: readonly (number | null)[];
}

export interface QueueDepth {
  readonly agent: string;
  readonly depth: number;
}

/** Of what is shown by agent and not counted: the busiest, or those with most waiting. Anyone may report a queue. */
const AGENTS_MAX = 500;
const LEVELS = QUANTILES.join(', ');
const BOUNDS = 'ARRAY JOIN {bounds:Array(UInt32)} AS bound';
const EARLIEST = 'toDateTime(arrayMin({bounds:Array(UInt32)}))';

/**
 * Tasks that ended since then, with how and how long after their first call. Asked of what stands behind the view tasks:
 * the view would put all tasks of all times together first.
 */
const tasksEnded = (since: string): string => {
  const ends = `control_events WHERE event = 'task_ended' AND timestamp >= ${since}`;
  return `
  SELECT agent_id, state, ended_at, greatest(0, dateDiff('millisecond', began, ended_at) / 1000) AS duration
  FROM (
    SELECT agent_id, JSONExtractString(details, 'task') AS task_id, min(timestamp) AS ended_at,
      argMin(JSONExtractString(details, 'state'), timestamp) AS state
    FROM ${ends}
    GROUP BY agent_id, task_id
  ) AS ended
  INNER JOIN (
    SELECT agent_id, task_id, min(task_calls.first_call) AS began
    FROM task_calls
    WHERE (agent_id, task_id) IN (SELECT agent_id, JSONExtractString(details, 'task') FROM ${ends})
    GROUP BY agent_id, task_id
  ) AS called USING (agent_id, task_id)`;
};

export const callSums = (agent: string): string => `
  SELECT bound, ${agent} AS agent, model, status, refusal, sum(calls) AS count, sum(tokens_in) AS input,
    sum(tokens_out) AS output, sum(tokens_cached) AS cached, sum(cost_nanodollars) AS nanodollars,
    sum(duration_ms) AS milliseconds
  FROM calls_1h ${BOUNDS}
  WHERE time >= ${EARLIEST} AND time >= toDateTime(bound)
  GROUP BY bound, agent, model, status, refusal`;

export const callQuantiles = (agent: string): string => `
  SELECT ${agent} AS agent,
    arrayMap(ms -> ms / 1000, quantilesTDigestMerge(${LEVELS})(duration_quantiles)) AS seconds
  FROM calls_1m
  WHERE time >= toDateTime({hour_ago:UInt32})
  GROUP BY agent
  ORDER BY sum(calls) DESC
  LIMIT ${AGENTS_MAX}`;

/** A task counts as begun with its first call since the moment; its duration is from its first call of all. */
export const taskSums = (agent: string): string => `
  SELECT bound, ${agent} AS agent, sum(of_begun) AS begun, sum(of_done) AS done, sum(of_failed) AS failed,
    sum(of_seconds) AS seconds
  FROM (
    SELECT bound, agent_id, uniqExact(task_id) AS of_begun, 0 AS of_done, 0 AS of_failed, 0. AS of_seconds
    FROM task_calls ${BOUNDS}
    WHERE last_call >= ${EARLIEST} AND last_call >= toDateTime(bound)
    GROUP BY bound, agent_id
    UNION ALL
    SELECT bound, agent_id, 0, countIf(state = 'done'), countIf(state = 'failed'), sum(duration)
    FROM (${tasksEnded(EARLIEST)}) ${BOUNDS}
    WHERE ended_at >= toDateTime(bound)
    GROUP BY bound, agent_id
  )
  GROUP BY bound, agent`;

export const taskQuantiles = (agent: string): string => `
  SELECT ${agent} AS agent, quantiles(${LEVELS})(duration) AS seconds
  FROM (${tasksEnded('toDateTime({hour_ago:UInt32})')})
  GROUP BY agent
  ORDER BY count() DESC
  LIMIT ${AGENTS_MAX}`;

/** The last word of each reporter that has spoken within the last quarter of an hour. */
export const queueDepths = (agent: string): string => `
  SELECT ${agent} AS agent, sum(latest) AS depth
  FROM (
    SELECT if(Attributes['outrider.agent'] != '', Attributes['outrider.agent'], toString(ServiceName)) AS agent_id,
      argMax(Value, TimeUnix) AS latest
    FROM otel_metrics_gauge
    WHERE MetricName = 'outrider.queue.depth' AND TimeUnix >= toDateTime({quarter_ago:UInt32})
    GROUP BY agent_id, Attributes, ResourceAttributes
  )
  GROUP BY agent
  ORDER BY depth DESC
  LIMIT ${AGENTS_MAX}`;
