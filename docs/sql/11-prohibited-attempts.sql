-- Who tried what is prohibited, in which task, for whom?
-- When: at every page of the alert `prohibited-act`, and at each audit.
-- Parameters: since
-- Columns: at, agent_id, owner, target, rule, task_id, caller_agent, grantor, call_id
SELECT timestamp AS at, agent_id, owner, target, rule, task_id, caller_agent, grantor, call_id
FROM actions
WHERE would_verdict = 'prohibited' AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
ORDER BY at

-- An answer, of a practice fleet:
--    ┌──────────────────────at─┬─agent_id─┬─owner─┬─target───────────────────────────────────────┬─rule─────────────────────────────────────────┬─task_id───────────┬─caller_agent─┬─grantor─┬─call_id──────────────────────────┐
-- 1. │ 2026-11-21 09:23:23.161 │ planner  │ ana   │ DELETE http://127.0.0.1:43300/search/items/1 │ http DELETE http://127.0.0.1:43300/search/** │ task-3c65eb480909 │              │         │ cbe658f27b3f59b250596f2e14212655 │
--    └─────────────────────────┴──────────┴───────┴──────────────────────────────────────────────┴──────────────────────────────────────────────┴───────────────────┴──────────────┴─────────┴──────────────────────────────────┘
