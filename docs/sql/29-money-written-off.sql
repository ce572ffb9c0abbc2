-- What was counted as spent without a record of its use, who decided that, and whose was it?
-- When: budgets and the sum of calls differ: a sidecar that never came back left a slice behind.
-- Parameters: since
-- Columns: at, actor, agent_id, instance, unit, amount, lease
SELECT
  timestamp AS at, actor, agent_id, JSONExtractString(details, 'instance') AS instance,
  JSONExtractString(details, 'unit') AS unit,
  toDecimal128OrZero(JSONExtractString(details, 'amount'), 0) AS amount,
  JSONExtractString(details, 'lease') AS lease
FROM control_events
WHERE event = 'budget_written_off' AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
ORDER BY at, lease

-- An answer, of a practice fleet:
--    ┌──────────────────────at─┬─actor─┬─agent_id─┬─instance─┬─unit────────┬──────amount─┬─lease────────────────────┐
-- 1. │ 2026-11-21 09:23:41.637 │ join  │ planner  │ other    │ nanodollars │ 12494320875 │ lse_U2Zrxzd1iQ6JhL7cJhVp │
--    └─────────────────────────┴───────┴──────────┴──────────┴─────────────┴─────────────┴──────────────────────────┘
