-- Who spends most, in which tasks, since then?
-- When: cost velocity is up; the last hour is a good stretch.
-- Parameters: since
-- Columns: agent_id, department, owner, task_id, calls, tokens, cost_usd, dearest_model
SELECT
  agent_id, department, owner, task_id, count() AS calls,
  sum(ifNull(tokens_in, 0) + ifNull(tokens_out, 0)) AS tokens,
  sum(actions.cost_usd) AS cost_usd,
  argMax(model, ifNull(actions.cost_usd, 0)) AS dearest_model
FROM actions
WHERE timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY agent_id, department, owner, task_id
HAVING cost_usd > 0
ORDER BY cost_usd DESC, agent_id, task_id
LIMIT 20

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─department─┬─owner─┬─task_id───────────┬─calls─┬─tokens─┬─cost_usd─┬─dearest_model────┐
-- 1. │ planner  │ lab        │ ana   │ brief-3           │     3 │     42 │ 0.005349 │                  │
-- 2. │ planner  │ lab        │ ana   │ brief-1           │     2 │     42 │ 0.005042 │                  │
-- 3. │ planner  │ lab        │ ana   │ task-9f2213d9f3c2 │     1 │      0 │    0.005 │                  │
-- 4. │ looper   │ lab        │ ana   │ loop-1            │    12 │    492 │ 0.001356 │ claude-haiku-4-5 │
-- 5. │ shadow   │ press      │ ben   │ task-04b090ff906a │     1 │     38 │ 0.000205 │ gpt-5            │
--    └──────────┴────────────┴───────┴───────────────────┴───────┴────────┴──────────┴──────────────────┘
