// Where the money goes: against budgets, by whom, for what, and where less would do.

import {
  type DashboardSource,
  now,
  PICKED,
  PICKED_ACTIONS,
  PICKED_TASKS,
  prom,
  series,
  table,
} from './panel.ts';

const BUDGET = '{{level}} {{name}} per {{window}}';

export const cost: DashboardSource = {
  name: 'cost',
  title: 'Outrider / Cost',
  description: 'What is spent, by whom, for what, and what it will come to.',
  rows: [
    {
      title: 'Budgets',
      panels: [
        {
          title: 'Used',
          asks: 'Which budgets are nearly gone? Posted and held, of the limit.',
          draw: 'bars',
          unit: 'percentunit',
          thresholds: [0.7, 0.9],
          queries: [
            now(
              'sort_desc((outrider_budget_spent_dollars + outrider_budget_held_dollars) / (outrider_budget_limit_dollars > 0) or (outrider_budget_spent_tokens + outrider_budget_held_tokens) / (outrider_budget_limit_tokens > 0))',
              BUDGET,
            ),
          ],
        },
        {
          title: 'At the end of the window',
          asks: 'What will it come to if it goes on as since the window began? Of the limit; above 1 it runs out.',
          draw: 'bars',
          unit: 'percentunit',
          thresholds: [0.9, 1],
          queries: [
            now(
              'sort_desc(outrider_budget_projected_dollars / (outrider_budget_limit_dollars > 0) or outrider_budget_projected_tokens / (outrider_budget_limit_tokens > 0))',
              BUDGET,
            ),
          ],
        },
        {
          title: 'Left, in dollars',
          asks: 'How much may still be spent?',
          draw: 'timeseries',
          unit: 'currencyUSD',
          queries: [
            prom(
              'outrider_budget_limit_dollars - outrider_budget_spent_dollars - outrider_budget_held_dollars',
              BUDGET,
            ),
          ],
        },
        {
          title: 'Left, in tokens',
          asks: 'How many tokens may still be used? Zero where no budget counts tokens.',
          draw: 'timeseries',
          queries: [
            prom(
              'outrider_budget_limit_tokens - outrider_budget_spent_tokens - outrider_budget_held_tokens or on() vector(0)',
              BUDGET,
            ),
          ],
        },
      ],
    },
    {
      title: 'Spending',
      panels: [
        {
          title: 'Dollars per hour by agent',
          asks: 'Who spends how fast?',
          draw: 'stacked',
          unit: 'currencyUSD',
          queries: [
            prom(
              'sum by (agent) (rate(outrider_fleet_cost_dollars_total{agent=~"$agent"}[$__rate_interval])) * 3600',
              '{{agent}}',
            ),
          ],
        },
        {
          title: 'Dollars per hour by model',
          asks: 'Which models are paid for? A dear model’s growing share is drift.',
          draw: 'stacked',
          unit: 'currencyUSD',
          queries: [
            prom(
              'sum by (model) (rate(outrider_fleet_cost_dollars_total{agent=~"$agent"}[$__rate_interval])) * 3600',
              '{{model}}',
            ),
          ],
        },
        {
          title: 'By department',
          asks: 'Who pays?',
          draw: 'bars',
          unit: 'currencyUSD',
          queries: [
            table(`
              SELECT if(c.department = '', 'none', c.department) AS pays, sum(c.cost_nanodollars) / 1e9 AS cost
              FROM calls_1m AS c
              WHERE ${PICKED}
              GROUP BY c.department
              ORDER BY cost DESC
              LIMIT 50`),
          ],
        },
        {
          title: 'By model',
          asks: 'What does each model cost per call, and how much of what it reads comes out of a cache?',
          draw: 'table',
          columns: {
            cost: { unit: 'currencyUSD' },
            cost_per_call: { unit: 'currencyUSD' },
            cached_share: { unit: 'percentunit' },
          },
          queries: [
            table(`
              SELECT if(c.model = '', c.upstream, c.model) AS paid_for, sum(c.calls) AS total,
                sum(c.tokens_in) AS input, sum(c.tokens_out) AS output,
                sum(c.tokens_cached) / greatest(1, sum(c.tokens_in)) AS cached_share,
                sum(c.cost_nanodollars) / 1e9 AS cost, cost / total AS cost_per_call
              FROM calls_1m AS c
              WHERE c.status NOT IN ('refused', 'escalated') AND ${PICKED}
              GROUP BY paid_for
              ORDER BY cost DESC
              LIMIT 50`),
          ],
        },
        {
          title: 'Calls without a price',
          asks: 'How many calls have no known cost? They are in no sum of money here.',
          draw: 'stat',
          thresholds: [1, 100],
          queries: [
            table(`
              SELECT sum(c.unpriced) AS unpriced
              FROM calls_1m AS c
              WHERE c.status NOT IN ('refused', 'escalated') AND ${PICKED}`),
          ],
        },
      ],
    },
    {
      title: 'Worth it?',
      panels: [
        {
          title: 'Cost per task',
          asks: 'What does a task cost, half and 95 of 100? By agent.',
          draw: 'table',
          columns: {
            median: { unit: 'currencyUSD' },
            p95: { unit: 'currencyUSD' },
            dearest: { unit: 'currencyUSD' },
          },
          queries: [
            table(`
              SELECT t.agent_id AS agent, count() AS tasks, quantile(0.5)(toFloat64(t.cost_usd)) AS median,
                quantile(0.95)(toFloat64(t.cost_usd)) AS p95, max(t.cost_usd) AS dearest,
                avg(t.tokens_in + t.tokens_out) AS tokens_per_task
              FROM tasks AS t
              WHERE ${PICKED_TASKS}
              GROUP BY t.agent_id
              ORDER BY dearest DESC
              LIMIT 100`),
          ],
        },
        {
          title: 'Cost per unit of output',
          asks: 'What does one article, mail or answer cost? Only tasks that were ended with their units.',
          draw: 'table',
          columns: { cost_per_unit: { unit: 'currencyUSD' } },
          queries: [
            table(`
              SELECT t.agent_id AS agent, sum(t.output_units) AS units, sum(toFloat64(t.cost_usd)) / greatest(1, units) AS cost_per_unit
              FROM tasks AS t
              WHERE t.output_units > 0 AND ${PICKED_TASKS}
              GROUP BY t.agent_id
              ORDER BY cost_per_unit DESC
              LIMIT 100`),
          ],
        },
        {
          title: 'Inefficient agents',
          asks: 'Who needs far more tokens for a call than its peers? Times the median of its department.',
          draw: 'bars',
          thresholds: [2, 5],
          queries: [
            table(`
              SELECT agent, per_call / median(per_call) OVER (PARTITION BY department) AS times_its_peers
              FROM (
                SELECT c.agent_id AS agent, any(c.department) AS department,
                  (sum(c.tokens_in) + sum(c.tokens_out)) / sum(c.calls) AS per_call
                FROM calls_1m AS c
                WHERE c.action_type = 'llm_inference' AND c.status = 'success' AND ${PICKED}
                GROUP BY c.agent_id
              )
              ORDER BY times_its_peers DESC
              LIMIT 50`),
          ],
        },
        {
          title: 'Dear models for small work',
          asks: 'Where might a cheaper model do? Calls that answered fewer than 200 tokens, by what they cost.',
          draw: 'table',
          columns: { cost: { unit: 'currencyUSD' } },
          queries: [
            table(`
              SELECT a.agent_id AS agent, a.model AS dear, count() AS small_calls, avg(a.tokens_out) AS tokens_out_each,
                sum(ifNull(a.cost_usd, 0)) AS cost
              FROM actions AS a
              WHERE a.action_type = 'llm_inference' AND a.status = 'success' AND a.tokens_out < 200 AND ${PICKED_ACTIONS}
              GROUP BY a.agent_id, a.model
              ORDER BY cost DESC
              LIMIT 20`),
          ],
        },
        {
          title: 'Model drift',
          asks: 'Does work move to other models? Share of calls by model.',
          draw: 'stacked',
          unit: 'percentunit',
          queries: [
            series(`
              SELECT time, of_model, of_calls / sum(of_calls) OVER (PARTITION BY time) AS share
              FROM (
                SELECT $__timeInterval(c.time) AS time, c.model AS of_model, sum(c.calls) AS of_calls
                FROM calls_1m AS c
                WHERE c.action_type = 'llm_inference' AND c.status = 'success' AND ${PICKED}
                GROUP BY time, of_model
              )
              ORDER BY time`),
          ],
        },
      ],
    },
  ],
};
