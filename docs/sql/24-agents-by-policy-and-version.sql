-- How do versions of an agent, and of its policy, compare?
-- When: one instance is ahead of the others (a canary), before the rest follows.
-- Parameters: since
-- Columns: agent_id, agent_version, policy, instances, calls, error_percent, refused_percent, usd_per_call, first_seen, last_seen
SELECT
  agent_id, agent_version, left(policy_digest, 12) AS policy, uniqExact(agent_instance) AS instances, count() AS calls,
  round(100 * countIf(status IN ('failure', 'timeout')) / calls, 1) AS error_percent,
  round(100 * countIf(status IN ('refused', 'escalated')) / calls, 1) AS refused_percent,
  round(toFloat64(sum(actions.cost_usd)) / calls, 6) AS usd_per_call,
  min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM actions
WHERE timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY agent_id, agent_version, policy_digest
ORDER BY agent_id, first_seen

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─agent_version─┬─policy───────┬─instances─┬─calls─┬─error_percent─┬─refused_percent─┬─usd_per_call─┬──────────────first_seen─┬───────────────last_seen─┐
-- 1. │ looper   │               │ ae1a9f89a712 │         1 │    12 │             0 │               0 │     0.000113 │ 2026-11-21 09:23:24.988 │ 2026-11-21 09:23:25.663 │
-- 2. │ planner  │ 1.0.0         │ ae1a9f89a712 │         2 │    12 │            25 │              25 │     0.001286 │ 2026-11-21 09:23:18.571 │ 2026-11-21 09:23:35.701 │
-- 3. │ poor     │               │ ae1a9f89a712 │         1 │     1 │             0 │             100 │            0 │ 2026-11-21 09:23:23.175 │ 2026-11-21 09:23:23.175 │
-- 4. │ shadow   │               │ ae1a9f89a712 │         1 │     1 │             0 │               0 │     0.000205 │ 2026-11-21 09:23:23.297 │ 2026-11-21 09:23:23.297 │
-- 5. │ writer   │ 2.1.0         │ ae1a9f89a712 │         1 │     4 │             0 │              25 │     0.000055 │ 2026-11-21 09:23:22.910 │ 2026-11-21 09:23:26.920 │
--    └──────────┴───────────────┴──────────────┴───────────┴───────┴───────────────┴─────────────────┴──────────────┴─────────────────────────┴─────────────────────────┘
