-- Who let which agent observe or enforce for a while, why, and what did only that let pass?
-- When: at each page of the alert `mode-changed`, and at each audit: an observing agent is not held to its rules.
-- Parameters: since
-- Columns: at, agent_id, event, mode, until, actor, reason, let_pass
SELECT
  switched.timestamp AS at, agent_id, event,
  JSONExtractString(details, 'mode') AS mode,
  parseDateTime64BestEffortOrNull(JSONExtractString(details, 'until'), 3) AS until,
  actor, reason,
  countIf(event = 'mode_changed' AND passed_at >= at AND passed_at < ifNull(until, now64(3))) AS let_pass
FROM control_events AS switched
LEFT JOIN (
  SELECT agent_id, timestamp AS passed_at FROM actions WHERE mode = 'observe' AND verdict != would_verdict
) AS passed USING (agent_id)
WHERE event IN ('mode_changed', 'mode_restored') AND switched.timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY switched.timestamp, agent_id, event, details, actor, reason
ORDER BY at

-- An answer, of a practice fleet:
--    ┌──────────────────────at─┬─agent_id─┬─event─────────┬─mode────┬───────────────────until─┬─actor─┬─reason───────────┬─let_pass─┐
-- 1. │ 2026-11-21 08:58:23.888 │ writer   │ mode_changed  │ observe │ 2026-11-21 09:58:23.888 │ join  │ a new model      │        1 │
-- 2. │ 2026-11-21 08:58:24.010 │ writer   │ mode_restored │         │                    ᴺᵁᴸᴸ │ join  │ restored by hand │        0 │
--    └─────────────────────────┴──────────┴───────────────┴─────────┴─────────────────────────┴───────┴──────────────────┴──────────┘
