-- What of that which passed while observing would enforcing refuse, and as what?
-- When: before `mode: enforce`. `outrider policy suggest` writes rules for it; docs/adopting.md tells the way.
-- Parameters: since
-- Columns: agent_id, would_refusal, target, rule, calls, last_seen
SELECT
  agent_id, would_refusal, target, rule,
  count() AS calls, max(timestamp) AS last_seen
FROM actions
WHERE mode = 'observe' AND would_refusal != '' AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY agent_id, would_refusal, target, rule
ORDER BY calls DESC, agent_id, target

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─would_refusal─┬─target───────┬─rule─┬─calls─┬───────────────last_seen─┐
-- 1. │ shadow   │ out_of_scope  │ openai/gpt-5 │      │     1 │ 2026-11-21 09:23:23.297 │
-- 2. │ writer   │ out_of_scope  │ openai/gpt-5 │      │     1 │ 2026-11-21 09:23:26.920 │
--    └──────────┴───────────────┴──────────────┴──────┴───────┴─────────────────────────┘
