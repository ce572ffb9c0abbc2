-- What of that which passed while observing would enforcing refuse?
-- When: before `mode: enforce`. `outrider policy suggest` writes rules for it; docs/adopting.md tells the way.
-- Parameters: since
-- Columns: agent_id, would_verdict, target, rule, calls, last_seen
SELECT agent_id, would_verdict, target, rule, count() AS calls, max(timestamp) AS last_seen
FROM actions
WHERE mode = 'observe' AND verdict != would_verdict AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY agent_id, would_verdict, target, rule
ORDER BY calls DESC, agent_id, target

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─would_verdict─┬─target───────┬─rule─┬─calls─┬───────────────last_seen─┐
-- 1. │ shadow   │ deny          │ openai/gpt-5 │      │     1 │ 2026-11-21 08:58:22.281 │
-- 2. │ writer   │ deny          │ openai/gpt-5 │      │     1 │ 2026-11-21 08:58:23.919 │
--    └──────────┴───────────────┴──────────────┴──────┴───────┴─────────────────────────┘
