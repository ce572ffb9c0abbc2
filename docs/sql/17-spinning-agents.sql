-- Which agents send the very same call again and again?
-- When: an agent is busy and nothing comes of it. Alike are calls with the same body, digest by digest.
-- Parameters: since, at_least
-- Columns: agent_id, task_id, target, times, first_seen, last_seen, cost_usd
SELECT
  agent_id, task_id, target, count() AS times, min(timestamp) AS first_seen, max(timestamp) AS last_seen,
  sum(actions.cost_usd) AS cost_usd
FROM actions
WHERE timestamp >= parseDateTime64BestEffort({since:String}, 3)
  -- most digests came once: only those that came often enough are told apart by task and target
  AND cityHash64(request_digest) IN (
    SELECT cityHash64(request_digest) AS digest FROM actions
    WHERE timestamp >= parseDateTime64BestEffort({since:String}, 3) AND request_digest != ''
    GROUP BY digest HAVING count() >= {at_least:UInt32}
  )
GROUP BY agent_id, task_id, target, request_digest
HAVING times >= {at_least:UInt32}
ORDER BY times DESC, agent_id

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─task_id─┬─target─────────────────────┬─times─┬──────────────first_seen─┬───────────────last_seen─┬─cost_usd─┐
-- 1. │ looper   │ loop-1  │ anthropic/claude-haiku-4-5 │    12 │ 2026-11-21 09:23:24.988 │ 2026-11-21 09:23:25.663 │ 0.001356 │
--    └──────────┴─────────┴────────────────────────────┴───────┴─────────────────────────┴─────────────────────────┴──────────┘
