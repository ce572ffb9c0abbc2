-- If this agent was wrong since then: what did it change, and which agents worked on from what it said?
-- When: an agent is isolated, and everything it touched must be looked at.
-- Parameters: agent, since
-- Columns: reached, how, calls, tasks, last_seen
WITH
  parseDateTime64BestEffort({since:String}, 3) AS since,
  -- reading methods, inference, and what a tool server tells of itself change nothing
  multiIf(action_type = 'api_call', NOT match(target, '^(GET|HEAD|OPTIONS) '),
    action_type = 'tool_use', NOT endsWith(target, ')'), action_type = 'handoff')
    AND status IN ('success', 'failure', 'timeout') AS may_have_changed
SELECT reached, how, count() AS calls, uniqExact(task_id) AS tasks, max(timestamp) AS last_seen
FROM (
  SELECT target AS reached, 'changed' AS how, task_id, timestamp
  FROM actions
  WHERE agent_id = {agent:String} AND timestamp >= since AND may_have_changed
  UNION ALL
  SELECT agent_id, 'worked for it', task_id, timestamp
  FROM actions
  WHERE caller_agent = {agent:String} AND timestamp >= since
  UNION ALL
  SELECT target, concat('changed by ', agent_id, ', in the same trace'), task_id, timestamp
  FROM actions
  WHERE agent_id != {agent:String} AND timestamp >= since AND may_have_changed
    AND trace_id IN (SELECT trace_id FROM actions WHERE agent_id = {agent:String} AND timestamp >= since)
)
GROUP BY reached, how
ORDER BY how, calls DESC, reached

-- An answer, of a practice fleet:
--    ┌─reached────────────────────────────────┬─how──────────────────────────────────┬─calls─┬─tasks─┬───────────────last_seen─┐
-- 1. │ PUT http://127.0.0.1:43300/cms/pages/7 │ changed by writer, in the same trace │     1 │     1 │ 2026-11-21 09:23:22.955 │
-- 2. │ writer                                 │ worked for it                        │     2 │     1 │ 2026-11-21 09:23:22.955 │
--    └────────────────────────────────────────┴──────────────────────────────────────┴───────┴───────┴─────────────────────────┘
