-- What does each department, agent and model cost a day?
-- When: every morning, or for a chart.
-- Parameters: since
-- Columns: day, department, agent_id, model, calls, tokens, cost_usd, unpriced
SELECT
  toDate(time) AS day, department, agent_id, model,
  sum(calls_1h.calls) AS calls,
  sum(tokens_in) + sum(tokens_out) AS tokens,
  sum(cost_nanodollars) / 1e9 AS cost_usd,
  sum(calls_1h.unpriced) AS unpriced
FROM calls_1h
WHERE time >= toStartOfHour(parseDateTimeBestEffort({since:String}))
GROUP BY day, department, agent_id, model
ORDER BY day, cost_usd DESC, agent_id, model

-- An answer, of a practice fleet:
--    ┌────────day─┬─department─┬─agent_id─┬─model────────────┬─calls─┬─tokens─┬─cost_usd─┬─unpriced─┐
-- 1. │ 2026-11-21 │ lab        │ planner  │                  │     6 │      0 │    0.015 │        0 │
-- 2. │ 2026-11-21 │ lab        │ looper   │ claude-haiku-4-5 │    12 │    492 │ 0.001356 │        0 │
-- 3. │ 2026-11-21 │ lab        │ planner  │ gpt-5-mini       │     3 │     84 │ 0.000223 │        0 │
-- 4. │ 2026-11-21 │ lab        │ planner  │ gpt-5            │     1 │     42 │  0.00021 │        0 │
-- 5. │ 2026-11-21 │ press      │ shadow   │ gpt-5            │     1 │     38 │ 0.000205 │        0 │
--    └────────────┴────────────┴──────────┴──────────────────┴───────┴────────┴──────────┴──────────┘
