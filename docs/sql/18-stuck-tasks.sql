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
-- 1. │ planner  │ ana   │ task-2c324dc43e29 │ 2026-11-21 08:58:22.252 │ 2026-11-21 08:58:22.259 │          0.9 │     3 │        0 │        0 │
-- 2. │ poor     │ ana   │ task-8374bcc7bbb0 │ 2026-11-21 08:58:22.261 │ 2026-11-21 08:58:22.261 │          0.9 │     1 │        0 │        0 │
-- 3. │ shadow   │ ben   │ task-c9743135d54d │ 2026-11-21 08:58:22.281 │ 2026-11-21 08:58:22.281 │          0.9 │     1 │        0 │ 0.000205 │
-- 4. │ looper   │ ana   │ loop-1            │ 2026-11-21 08:58:23.702 │ 2026-11-21 08:58:23.783 │          0.8 │    12 │        0 │ 0.001356 │
-- 5. │ writer   │ ben   │ task-3ce19c4629c7 │ 2026-11-21 08:58:22.257 │ 2026-11-21 08:58:23.919 │          0.8 │     2 │        0 │ 0.000205 │
--    └──────────┴───────┴───────────────────┴─────────────────────────┴─────────────────────────┴──────────────┴───────┴──────────┴──────────┘
