-- Which agents used this service since then, for which tasks, and what may they have changed by it?
-- When: an upstream, one of its models or tools is in quarantine, and whoever relied on it must be told.
-- Parameters: upstream, since
-- Columns: agent_id, owner, target, calls, may_have_changed, tasks, first_seen, last_seen
SELECT
  agent_id, any(actions.owner) AS owner, target, count() AS calls,
  countIf(multiIf(action_type = 'api_call', NOT match(target, '^(GET|HEAD|OPTIONS) '),
    action_type = 'tool_use', NOT endsWith(target, ')'), action_type = 'handoff')) AS may_have_changed,
  uniqExact(task_id) AS tasks, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM actions
WHERE upstream = {upstream:String} AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
  AND status IN ('success', 'failure', 'timeout')
GROUP BY agent_id, target
ORDER BY may_have_changed DESC, calls DESC, agent_id, target
