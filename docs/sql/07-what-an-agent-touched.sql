-- What did this agent touch since then?
-- When: an agent is suspected, or handed over to someone else.
-- Parameters: agent, since
-- Columns: target, calls, succeeded, refused, changed_something, first_seen, last_seen
SELECT
  target, count() AS calls, countIf(status = 'success') AS succeeded,
  countIf(status IN ('refused', 'escalated')) AS refused,
  action_type = 'api_call' AND NOT match(target, '^(GET|HEAD|OPTIONS) ') AND succeeded > 0 AS changed_something,
  min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM actions
WHERE agent_id = {agent:String} AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY target, action_type
ORDER BY changed_something DESC, calls DESC, target

-- An answer, of a practice fleet:
--    ┌─target─────────────────────────────────┬─calls─┬─succeeded─┬─refused─┬─changed_something─┬──────────────first_seen─┬───────────────last_seen─┐
-- 1. │ PUT http://127.0.0.1:43300/cms/pages/7 │     1 │         1 │       0 │                 1 │ 2026-11-21 09:23:22.955 │ 2026-11-21 09:23:22.955 │
-- 2. │ openai/gpt-5                           │     2 │         1 │       1 │                 0 │ 2026-11-21 09:23:23.157 │ 2026-11-21 09:23:26.920 │
-- 3. │ openai/gpt-5-mini                      │     1 │         1 │       0 │                 0 │ 2026-11-21 09:23:22.910 │ 2026-11-21 09:23:22.910 │
--    └────────────────────────────────────────┴───────┴───────────┴─────────┴───────────────────┴─────────────────────────┴─────────────────────────┘
