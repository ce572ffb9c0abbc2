// The fleet at a glance: is it working, what goes wrong, who does what. What Grafana's reader looks at first.

import {
  type DashboardSource,
  now,
  PICKED,
  PICKED_ACTIONS,
  PICKED_TASKS,
  prom,
  series,
  table,
  variable,
} from './panel.ts';

const AGENT_LINK = {
  title: 'This agent',
  url: `/d/outrider-agent?var-agent=${variable('__data.fields.agent')}&${variable('__url_time_range')}`,
};

const RANGE_SECONDS = '(toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime))';
/** The calls of a week are sorted fast enough to wait for; of a longer range only every so many hours are read. */
const EVERY = `greatest(1, intDiv(${RANGE_SECONDS}, 604800))`;
/** What an agent does at three each night is not to be seen always or never: a day is 29 steps on, and 29 is prime. */
const IS_READ = `(intDiv(toUnixTimestamp(a.timestamp), 3600) + 5 * intDiv(toUnixTimestamp(a.timestamp), 86400)) % ${EVERY} = 0`;

export const fleet: DashboardSource = {
  name: 'fleet',
  title: 'Outrider / Fleet',
  description: 'What the fleet is doing, what it costs, what goes wrong, and who.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Calls per minute',
          asks: 'Is the fleet working? Calls that ended, whatever became of them.',
          draw: 'stat',
          queries: [prom('sum(rate(outrider_fleet_calls_total[$__rate_interval])) * 60')],
        },
        {
          title: 'Errors per 100 calls',
          asks: 'Of 100 calls, how many failed or timed out? A refusal is no error.',
          draw: 'stat',
          thresholds: [5, 20],
          queries: [
            prom(
              '100 * (sum(rate(outrider_fleet_calls_total{status=~"failure|timeout"}[$__rate_interval])) or vector(0)) / clamp_min(sum(rate(outrider_fleet_calls_total[$__rate_interval])), 1e-9)',
            ),
          ],
        },
        {
          title: 'Dollars per hour',
          asks: 'How fast is money spent?',
          draw: 'stat',
          unit: 'currencyUSD',
          queries: [
            prom('sum(rate(outrider_fleet_cost_dollars_total[$__rate_interval])) * 3600 or vector(0)'),
          ],
        },
        {
          title: 'Tokens per minute',
          asks: 'How fast are tokens used? Ten times the usual is a loop or an injection.',
          draw: 'stat',
          queries: [
            prom(
              'sum(rate(outrider_fleet_tokens_total{type=~"input|output"}[$__rate_interval])) * 60 or vector(0)',
            ),
          ],
        },
        {
          title: 'Instances by health',
          asks: 'Who is there? Away: not heard of for half a minute.',
          draw: 'stat',
          queries: [now('sum by (health) (outrider_agents)', '{{health}}')],
        },
        {
          title: 'Alerts firing',
          asks: 'Who needs me? By severity; the console says what to do.',
          draw: 'stat',
          thresholds: [1, 1],
          queries: [
            now('count(outrider_alert_value{severity="critical"}) or vector(0)', 'critical'),
            now('count(outrider_alert_value{severity="warning"}) or vector(0)', 'warning'),
          ],
        },
      ],
    },
    {
      title: 'Throughput and time',
      panels: [
        {
          title: 'Tasks per hour',
          asks: 'How much work is done? Tasks that ended, by agent.',
          draw: 'stacked',
          queries: [
            prom(
              'sum by (agent) (rate(outrider_fleet_tasks_total{agent=~"$agent",state=~"done|failed"}[$__rate_interval])) * 3600',
              '{{agent}}',
            ),
          ],
        },
        {
          title: 'Calls per minute by agent',
          asks: 'Who is busy, who is silent?',
          draw: 'stacked',
          queries: [
            prom(
              'sum by (agent) (rate(outrider_fleet_calls_total{agent=~"$agent"}[$__rate_interval])) * 60',
              '{{agent}}',
            ),
          ],
        },
        {
          title: 'How long calls take',
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
          title: 'How long tasks take',
          asks: 'From the first call of a task to its end, or to its last call where nobody ended it.',
          draw: 'timeseries',
          unit: 's',
          queries: [
            series(`
              SELECT time, q[1] AS p50, q[2] AS p95, q[3] AS p99
              FROM (
                SELECT $__timeInterval(t.last_call) AS time, quantiles(0.5, 0.95, 0.99)(dateDiff('millisecond', t.first_call, ifNull(t.ended_at, t.last_call)) / 1000) AS q
                FROM tasks AS t
                WHERE ${PICKED_TASKS}
                GROUP BY time
              )
              ORDER BY time`),
          ],
        },
        {
          title: 'Utilisation',
          asks: 'Which share of the time had the agent a call under way? Calls side by side count once. Of two weeks every second hour is looked at, of three every third.',
          draw: 'bars',
          unit: 'percentunit',
          queries: [
            table(`
              SELECT agent_id AS agent, ${EVERY} * sum(greatest(0, ends - greatest(begins, before))) / ${RANGE_SECONDS} AS busy
              FROM (
                SELECT agent_id, toUnixTimestamp64Milli(timestamp) / 1000 AS begins, begins + duration_ms / 1000 AS ends,
                  max(ends) OVER (PARTITION BY agent_id ORDER BY begins ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                FROM actions AS a
                WHERE ${PICKED_ACTIONS} AND ${IS_READ}
              )
              GROUP BY agent_id
              ORDER BY busy DESC
              LIMIT 50`),
          ],
        },
        {
          title: 'Work waiting',
          asks: 'How long is each agent’s queue, as it reports it? Zero where nobody reports.',
          draw: 'timeseries',
          queries: [
            prom(
              'sum by (agent) (outrider_fleet_queue_depth{agent=~"$agent"}) or on() vector(0)',
              '{{agent}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'What goes wrong',
      panels: [
        {
          title: 'Errors per 100 calls by kind',
          asks: 'What fails, and how often?',
          draw: 'timeseries',
          queries: [
            series(`
              SELECT $__timeInterval(c.time) AS time,
                100 * sumIf(c.calls, c.status = 'failure') / sum(c.calls) AS failed,
                100 * sumIf(c.calls, c.status = 'timeout') / sum(c.calls) AS timed_out,
                100 * sumIf(c.calls, c.status = 'refused') / sum(c.calls) AS refused,
                100 * sumIf(c.calls, c.status = 'escalated') / sum(c.calls) AS escalated
              FROM calls_1m AS c
              WHERE ${PICKED}
              GROUP BY time
              ORDER BY time`),
          ],
        },
        {
          title: 'Refusals',
          asks: 'What is refused? A deny doing its work never pages; prohibited and out_of_scope do.',
          draw: 'stacked',
          queries: [
            prom(
              'sum by (refusal) (increase(outrider_fleet_refusals_total{agent=~"$agent"}[$__rate_interval])) > 0 or on() vector(0)',
              '{{refusal}}',
            ),
          ],
        },
        {
          title: 'What enforcing would refuse',
          asks: 'In observe mode: which calls passed that enforcing would have stopped?',
          draw: 'stacked',
          queries: [
            series(`
              SELECT $__timeInterval(c.time) AS time,
                sumIf(c.calls, c.would_verdict != c.verdict AND c.would_verdict = 'deny') AS deny,
                sumIf(c.calls, c.would_verdict != c.verdict AND c.would_verdict = 'ask') AS ask
              FROM calls_1m AS c
              WHERE ${PICKED}
              GROUP BY time
              ORDER BY time`),
          ],
        },
        {
          title: 'Stuck tasks',
          asks: 'Which open tasks have not called for a quarter of an hour?',
          draw: 'stat',
          thresholds: [1, 10],
          queries: [
            table(`
              SELECT count() AS stuck
              FROM tasks AS t
              WHERE t.state = 'open' AND t.last_call < now() - INTERVAL 15 MINUTE AND ${PICKED_TASKS}`),
          ],
        },
        {
          title: 'Spinning',
          asks: 'Which task asks the same target again and again? Most calls of one target in one task, on the last day of the range.',
          draw: 'table',
          columns: { agent: { link: AGENT_LINK } },
          queries: [
            table(`
              SELECT agent_id AS agent, task_id AS task, target, count() AS same_calls, max(timestamp) AS last
              FROM actions AS a
              WHERE ${PICKED_ACTIONS} AND a.timestamp >= $__toTime - INTERVAL 1 DAY
              GROUP BY agent_id, task_id, target
              ORDER BY same_calls DESC
              LIMIT 10`),
          ],
        },
      ],
    },
    {
      title: 'Who',
      panels: [
        {
          title: 'Agents',
          asks: 'What did each agent do, at what cost? The name leads to the agent.',
          draw: 'table',
          columns: { agent: { link: AGENT_LINK }, cost: { unit: 'currencyUSD' } },
          queries: [
            table(`
              SELECT c.agent_id AS agent, any(c.department) AS department, any(c.owner) AS owner, sum(c.calls) AS total,
                sumIf(c.calls, c.status IN ('failure', 'timeout')) AS failed, sumIf(c.calls, c.status = 'refused') AS refused,
                sum(c.tokens_in) + sum(c.tokens_out) AS tokens, sum(c.cost_nanodollars) / 1e9 AS cost, max(c.time) AS last
              FROM calls_1m AS c
              WHERE ${PICKED}
              GROUP BY c.agent_id
              ORDER BY cost DESC
              LIMIT 200`),
          ],
        },
        {
          title: 'Who calls whom',
          asks: 'Which agent hands work to which? An error upstream spreads along these edges.',
          draw: 'table',
          queries: [
            table(`
              SELECT caller_agent AS caller, agent_id AS agent, calls, tasks, last_seen AS last
              FROM agent_edges
              ORDER BY calls DESC
              LIMIT 100`),
          ],
        },
        {
          title: 'Span of control',
          asks: 'How many agents does each accountable human answer for?',
          draw: 'bars',
          queries: [
            table(`
              SELECT if(c.owner = '', 'nobody', c.owner) AS accountable, uniqExact(c.agent_id) AS agents
              FROM calls_1m AS c
              WHERE ${PICKED}
              GROUP BY c.owner
              ORDER BY agents DESC
              LIMIT 50`),
          ],
        },
      ],
    },
  ],
};
