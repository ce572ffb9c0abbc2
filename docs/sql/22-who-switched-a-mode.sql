-- Who let which agent observe or enforce for a while, why, and what did only that let pass?
-- When: at each page of the alert `mode-changed`, and at each audit: an observing agent is not held to its rules.
-- Parameters: since
-- Columns: at, agent_id, event, mode, until, actor, reason, let_pass
SELECT
  switched.timestamp AS at, switched.agent_id AS agent_id, switched.event AS event,
  JSONExtractString(details, 'mode') AS mode,
  parseDateTime64BestEffortOrNull(JSONExtractString(details, 'until'), 3) AS until,
  actor, reason, passed.calls AS let_pass
FROM control_events AS switched
LEFT JOIN (
  SELECT event_id, count() AS calls
  FROM (
    SELECT
      id AS event_id, timestamp AS from, replaceAll(agent_id, '*', '%') AS who,
      ifNull(parseDateTime64BestEffortOrNull(JSONExtractString(details, 'until'), 3), now64(3)) AS to
    FROM control_events
    WHERE event = 'mode_changed'
  ) AS ordered
  CROSS JOIN (
    SELECT agent_id, timestamp FROM actions
    WHERE mode = 'observe' AND verdict != would_verdict AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
  ) AS observed
  WHERE observed.agent_id LIKE ordered.who AND observed.timestamp >= ordered.from AND observed.timestamp < ordered.to
  GROUP BY event_id
) AS passed ON passed.event_id = switched.id
WHERE switched.event IN ('mode_changed', 'mode_restored')
  AND switched.timestamp >= parseDateTime64BestEffort({since:String}, 3)
ORDER BY at

-- An answer, of a practice fleet:
--    ┌──────────────────────at─┬─agent_id─┬─event─────────┬─mode────┬───────────────────until─┬─actor─┬─reason───────────┬─let_pass─┐
-- 1. │ 2026-11-21 09:23:26.633 │ writer   │ mode_changed  │ observe │ 2026-11-21 10:23:26.633 │ join  │ a new model      │        1 │
-- 2. │ 2026-11-21 09:23:28.633 │ writer   │ mode_restored │         │                    ᴺᵁᴸᴸ │ join  │ restored by hand │        0 │
--    └─────────────────────────┴──────────┴───────────────┴─────────┴─────────────────────────┴───────┴──────────────────┴──────────┘
