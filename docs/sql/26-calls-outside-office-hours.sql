-- Which agents call what while nobody is there to see it?
-- When: credentials may have got out, or to know what the on-call person will be woken for. Hours are UTC; weekends count.
-- Parameters: since, from_hour, to_hour
-- Columns: agent_id, target, credential, calls, first_seen, last_seen
SELECT agent_id, target, credential, count() AS calls, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM actions
WHERE timestamp >= parseDateTime64BestEffort({since:String}, 3)
  AND (toDayOfWeek(timestamp) > 5
    OR toHour(timestamp) < {from_hour:UInt8}
    OR toHour(timestamp) >= {to_hour:UInt8})
GROUP BY agent_id, target, credential
ORDER BY calls DESC, agent_id, target

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─target───────────────────────────────────────┬─credential─┬─calls─┬──────────────first_seen─┬───────────────last_seen─┐
-- 1. │ looper   │ anthropic/claude-haiku-4-5                   │ anthropic  │    12 │ 2026-11-21 09:23:24.988 │ 2026-11-21 09:23:25.663 │
-- 2. │ planner  │ openai/gpt-5-mini                            │ openai     │     3 │ 2026-11-21 09:23:18.571 │ 2026-11-21 09:23:28.976 │
-- 3. │ planner  │ DELETE http://127.0.0.1:43300/search/items/1 │            │     1 │ 2026-11-21 09:23:23.161 │ 2026-11-21 09:23:23.161 │
-- 4. │ planner  │ GET http://127.0.0.1:43300/cms/pages/1       │            │     1 │ 2026-11-21 09:23:23.505 │ 2026-11-21 09:23:23.505 │
-- 5. │ planner  │ GET http://127.0.0.1:43300/cms/pages/2       │            │     1 │ 2026-11-21 09:23:23.515 │ 2026-11-21 09:23:23.515 │
--    └──────────┴──────────────────────────────────────────────┴────────────┴───────┴─────────────────────────┴─────────────────────────┘
