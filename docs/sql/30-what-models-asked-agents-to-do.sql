-- Which tools did models ask this agent to run, and how often with the very same arguments?
-- When: an agent did something inside itself, where no sidecar sees: the request for it is on record.
-- Parameters: agent, since
-- Columns: tool_name, requests, different_arguments, tasks, first_seen, last_seen
SELECT
  tool_name, count() AS requests, uniqExact(arguments_digest) AS different_arguments, uniqExact(task_id) AS tasks,
  min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM tool_requests
WHERE agent_id = {agent:String} AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY tool_name
ORDER BY requests DESC, tool_name

-- An answer, of a practice fleet:
--    ┌─tool_name─┬─requests─┬─different_arguments─┬─tasks─┬──────────────first_seen─┬───────────────last_seen─┐
-- 1. │ announce  │        1 │                   1 │     1 │ 2026-11-22 07:05:28.373 │ 2026-11-22 07:05:28.373 │
-- 2. │ publish   │        1 │                   1 │     1 │ 2026-11-22 07:05:28.373 │ 2026-11-22 07:05:28.373 │
--    └───────────┴──────────┴─────────────────────┴───────┴─────────────────────────┴─────────────────────────┘
