-- What was refused since then, and why?
-- When: an agent fails and says 403, 402 or 429; or to see what the rules are worth.
-- Parameters: since
-- Columns: agent_id, refusal, target, rule, calls, last_seen
SELECT agent_id, refusal, target, rule, count() AS calls, max(timestamp) AS last_seen
FROM actions
WHERE refusal != '' AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY agent_id, refusal, target, rule
ORDER BY calls DESC, last_seen DESC

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─refusal──────────┬─target───────────────────────────────────────┬─rule─────────────────────────────────────────┬─calls─┬───────────────last_seen─┐
-- 1. │ planner  │ upstream_timeout │ GET http://127.0.0.1:43300/cms/pages/2       │ http GET http://127.0.0.1:43300/cms/**       │     1 │ 2026-11-21 09:23:23.515 │
-- 2. │ poor     │ over_budget      │ anthropic/claude-haiku-4-5                   │ llm anthropic/claude-haiku-4-5               │     1 │ 2026-11-21 09:23:23.175 │
-- 3. │ planner  │ prohibited       │ DELETE http://127.0.0.1:43300/search/items/1 │ http DELETE http://127.0.0.1:43300/search/** │     1 │ 2026-11-21 09:23:23.161 │
-- 4. │ writer   │ out_of_scope     │ openai/gpt-5                                 │                                              │     1 │ 2026-11-21 09:23:23.157 │
-- 5. │ planner  │ out_of_scope     │ openai/gpt-5-nano                            │ llm openai/gpt-5-nano                        │     1 │ 2026-11-21 09:23:23.139 │
--    └──────────┴──────────────────┴──────────────────────────────────────────────┴──────────────────────────────────────────────┴───────┴─────────────────────────┘
