-- Of which calls is it not known how they ended?
-- When: after a crash: what was sent may have happened, and is counted at the most it could cost.
-- Parameters: since
-- Columns: at, agent_id, agent_instance, target, task_id, cost_usd, call_id
SELECT timestamp AS at, agent_id, agent_instance, target, task_id, cost_usd, call_id
FROM actions
WHERE error_type = 'outcome_unknown'
  AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
ORDER BY at

-- An answer, of a practice fleet:
--    ┌──────────────────────at─┬─agent_id─┬─agent_instance─┬─target────────────┬─task_id─┬─cost_usd─┬─call_id──────────────────────────┐
-- 1. │ 2026-11-21 09:23:28.976 │ planner  │ vm             │ openai/gpt-5-mini │ brief-3 │ 0.000139 │ ceb808ac8e5f4fce6172f027e9be5a25 │
--    └─────────────────────────┴──────────┴────────────────┴───────────────────┴─────────┴──────────┴──────────────────────────────────┘
