// One agent, or a few beside each other: what it does, what that costs, whether it behaves as it did yesterday.

import {
  type DashboardSource,
  PICKED,
  PICKED_ACTIONS,
  PICKED_TASKS,
  pickedAgent,
  pickedIn,
  prom,
  series,
  TRACE_LINK,
  table,
} from './panel.ts';

export const agent: DashboardSource = {
  name: 'agent',
  title: 'Outrider / Agent',
  description: 'What one agent does, what it costs, what it touched.',
  rows: [
    {
      title: 'What it does',
      panels: [
        {
          title: 'Calls by how they ended',
          asks: 'Is it working, and does that succeed?',
          draw: 'stacked',
          queries: [
            series(`
              SELECT $__timeInterval(c.time) AS time, c.status AS ended, sum(c.calls) AS total
              FROM calls_1m AS c
              WHERE ${PICKED}
              GROUP BY time, ended
              ORDER BY time`),
          ],
        },
        {
          title: 'How long its calls take',
          asks: 'Half, 95 and 99 of 100 calls are shorter than this.',
          draw: 'timeseries',
          unit: 's',
          queries: [
            series(`
              SELECT time, q[1] / 1000 AS p50, q[2] / 1000 AS p95, q[3] / 1000 AS p99
              FROM (
                SELECT $__timeInterval(c.time) AS time, quantilesTDigestMerge(0.5, 0.95, 0.99)(c.duration_quantiles) AS q
                FROM calls_1m AS c
                WHERE ${PICKED}
                GROUP BY time
              )
              ORDER BY time`),
          ],
        },
        {
          title: 'Time to the first chunk',
          asks: 'How long does a streamed answer let it wait? As its sidecars measured it, 95 of 100.',
          draw: 'timeseries',
          unit: 's',
          queries: [
            prom(
              'histogram_quantile(0.95, sum by (le, gen_ai_request_model) (rate(gen_ai_client_operation_time_to_first_chunk_seconds_bucket{agent=~"$agent"}[$__rate_interval])))',
              '{{gen_ai_request_model}}',
            ),
          ],
        },
        {
          title: 'Refusals by rule',
          asks: 'What was it refused, by which rule? An empty rule: nothing allows it.',
          draw: 'table',
          queries: [
            table(`
              SELECT refusal, rule, any(target) AS example, count() AS calls, max(timestamp) AS last
              FROM actions AS a
              WHERE a.refusal != '' AND ${PICKED_ACTIONS}
              GROUP BY refusal, rule
              ORDER BY calls DESC
              LIMIT 50`),
          ],
        },
        {
          title: 'What it touched',
          asks: 'Its bill of materials: which models, tools and places does it really use?',
          draw: 'table',
          columns: { cost: { unit: 'currencyUSD' } },
          queries: [
            table(`
              SELECT target, verdict, credential, count() AS calls, min(timestamp) AS first, max(timestamp) AS last,
                sum(ifNull(cost_usd, 0)) AS cost
              FROM actions AS a
              WHERE ${PICKED_ACTIONS}
              GROUP BY target, verdict, credential
              ORDER BY calls DESC
              LIMIT 200`),
          ],
        },
        {
          title: 'Tools its models asked for',
          asks: 'What did models ask it to run? Asked for, not necessarily run.',
          draw: 'table',
          queries: [
            table(`
              SELECT tool_name AS tool, count() AS asked, uniqExact(arguments_digest) AS different_arguments
              FROM tool_requests AS a
              WHERE $__timeFilter(a.timestamp) AND ${pickedAgent('a')}
              GROUP BY tool_name
              ORDER BY asked DESC
              LIMIT 50`),
          ],
        },
      ],
    },
    {
      title: 'What it uses',
      panels: [
        {
          title: 'Tokens',
          asks: 'How many tokens, of which kind? Input includes cached.',
          draw: 'timeseries',
          queries: [
            series(`
              SELECT $__timeInterval(c.time) AS time, sum(c.tokens_in) AS input, sum(c.tokens_out) AS output,
                sum(c.tokens_cached) AS cached
              FROM calls_1m AS c
              WHERE ${PICKED}
              GROUP BY time
              ORDER BY time`),
          ],
        },
        {
          title: 'Tokens per inference',
          asks: 'Do its prompts grow? A rising line is a conversation nobody cuts.',
          draw: 'timeseries',
          queries: [
            series(`
              SELECT $__timeInterval(c.time) AS time, c.model AS of_model,
                (sum(c.tokens_in) + sum(c.tokens_out)) / sum(c.calls) AS tokens
              FROM calls_1m AS c
              WHERE c.action_type = 'llm_inference' AND c.status = 'success' AND ${PICKED}
              GROUP BY time, of_model
              ORDER BY time`),
          ],
        },
        {
          title: 'Cost',
          asks: 'What does it cost, by model?',
          draw: 'stacked',
          unit: 'currencyUSD',
          queries: [
            series(`
              SELECT $__timeInterval(c.time) AS time, c.model AS of_model, sum(c.cost_nanodollars) / 1e9 AS cost
              FROM calls_1m AS c
              WHERE ${PICKED}
              GROUP BY time, of_model
              ORDER BY time`),
          ],
        },
        {
          title: 'Token burn against its own normal',
          asks: 'Times its average of the week before. Above 2 is a warning, 10 is a loop or an injection.',
          draw: 'bars',
          thresholds: [2, 10],
          queries: [
            table(`
              SELECT c.agent_id AS agent,
                sumIf(c.tokens_in + c.tokens_out, c.time >= $__fromTime) / greatest(1, dateDiff('minute', $__fromTime, $__toTime)) AS per_minute,
                sumIf(c.tokens_in + c.tokens_out, c.time < $__fromTime) / (7 * 24 * 60) AS normal,
                if(normal = 0, 1, per_minute / normal) AS times_normal
              FROM calls_1m AS c
              WHERE c.time >= $__fromTime - INTERVAL 7 DAY AND c.time <= $__toTime
                AND ${pickedIn('c')}
              GROUP BY c.agent_id
              ORDER BY times_normal DESC
              LIMIT 50`),
          ],
        },
      ],
    },
    {
      title: 'Tasks and calls',
      panels: [
        {
          title: 'Tasks',
          asks: 'What did each task take, and how did it end?',
          draw: 'table',
          columns: { cost: { unit: 'currencyUSD' }, seconds: { unit: 's' } },
          queries: [
            table(`
              SELECT t.agent_id AS agent, t.task_id AS task, t.state AS state, t.calls AS calls, t.failures AS failed,
                t.refusals AS refused, t.tokens_in + t.tokens_out AS tokens, t.cost_usd AS cost,
                dateDiff('millisecond', t.first_call, ifNull(t.ended_at, t.last_call)) / 1000 AS seconds,
                t.distinct_targets AS targets, t.last_call AS last
              FROM tasks AS t
              WHERE ${PICKED_TASKS}
              ORDER BY t.last_call DESC
              LIMIT 200`),
          ],
        },
        {
          title: 'Latest calls',
          asks: 'What did it do last? The trace leads to the console.',
          draw: 'table',
          columns: { cost: { unit: 'currencyUSD' }, ms: { unit: 'ms' }, trace: { link: TRACE_LINK } },
          queries: [
            table(`
              SELECT a.timestamp AS at, a.agent_id AS agent, a.target AS target, a.status AS status, a.refusal AS refusal,
                a.duration_ms AS ms, a.tokens_in AS input, a.tokens_out AS output, a.cost_usd AS cost, a.task_id AS task,
                a.trace_id AS trace
              FROM actions AS a
              WHERE ${PICKED_ACTIONS}
              ORDER BY a.timestamp DESC
              LIMIT 100`),
          ],
        },
      ],
    },
  ],
};
