-- Which tasks are open and have not moved for long?
-- When: work is late and no agent complains.
-- Parameters: idle_minutes
-- Columns: agent_id, owner, task_id, first_call, last_call, idle_minutes, calls, failures, cost_usd
SELECT
  agent_id, owner, task_id, first_call, last_call,
  round(dateDiff('second', last_call, now64(3)) / 60, 1) AS idle_minutes,
  calls, failures, cost_usd
FROM tasks
WHERE state = 'open' AND dateDiff('second', last_call, now64(3)) >= 60 * {idle_minutes:Float64}
ORDER BY last_call, task_id

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─owner─┬─task_id───────────┬──────────────first_call─┬───────────────last_call─┬─idle_minutes─┬─calls─┬─failures─┬─cost_usd─┐
-- 1. │ planner  │ ana   │ task-3c65eb480909 │ 2026-11-21 09:23:23.131 │ 2026-11-21 09:23:23.161 │          0.4 │     3 │        0 │        0 │
-- 2. │ poor     │ ana   │ task-97f121705a4f │ 2026-11-21 09:23:23.175 │ 2026-11-21 09:23:23.175 │          0.4 │     1 │        0 │        0 │
-- 3. │ shadow   │ ben   │ task-04b090ff906a │ 2026-11-21 09:23:23.297 │ 2026-11-21 09:23:23.297 │          0.4 │     1 │        0 │ 0.000205 │
-- 4. │ looper   │ ana   │ loop-1            │ 2026-11-21 09:23:24.988 │ 2026-11-21 09:23:25.663 │          0.4 │    12 │        0 │ 0.001356 │
-- 5. │ writer   │ ben   │ task-b0e9b6cf0022 │ 2026-11-21 09:23:23.157 │ 2026-11-21 09:23:26.920 │          0.4 │     2 │        0 │ 0.000205 │
--    └──────────┴───────┴───────────────────┴─────────────────────────┴─────────────────────────┴──────────────┴───────┴──────────┴──────────┘
