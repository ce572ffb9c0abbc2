-- What does one unit of output cost, and how many tasks fail?
-- When: to compare agents that do like work, and to price what they make.
-- Parameters: since
-- Columns: agent_id, done, failed, output_units, cost_usd, usd_per_unit, minutes_per_task
SELECT
  agent_id, countIf(state = 'done') AS done, countIf(state = 'failed') AS failed,
  sum(ifNull(tasks.output_units, 0)) AS output_units,
  sum(tasks.cost_usd) AS cost_usd,
  if(output_units = 0, NULL, round(toFloat64(cost_usd) / output_units, 6)) AS usd_per_unit,
  round(avg(dateDiff('millisecond', first_call, last_call)) / 60000, 2) AS minutes_per_task
FROM tasks
WHERE state != 'open' AND first_call >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY agent_id
ORDER BY agent_id

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─done─┬─failed─┬─output_units─┬──cost_usd─┬─usd_per_unit─┬─minutes_per_task─┐
-- 1. │ planner  │    1 │      1 │            1 │  0.005084 │     0.005084 │             0.01 │
-- 2. │ writer   │    1 │      0 │            2 │ 0.0000135 │     0.000007 │                0 │
--    └──────────┴──────┴────────┴──────────────┴───────────┴──────────────┴──────────────────┘
