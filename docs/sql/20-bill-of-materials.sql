-- What does this agent really use: models, services, tools, credentials, versions?
-- When: for a security review, or before a supplier or model is dropped.
-- Parameters: agent
-- Columns: kind, name, calls, first_seen, last_seen
SELECT used.1 AS kind, used.2 AS name, count() AS calls, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM (
  SELECT timestamp, arrayJoin([
    ('upstream', toString(upstream)), ('credential', toString(credential)), ('version', toString(agent_version)),
    ('model', if(model = '', '', concat(upstream, '/', model))),
    ('service', if(action_type = 'api_call', extract(target, '(https?://[^/]+)'), ''))
  ]) AS used
  FROM actions
  WHERE agent_id = {agent:String} AND status NOT IN ('refused', 'escalated')
  UNION ALL
  SELECT timestamp, ('tool asked for by a model', toString(tool_name)) FROM tool_requests WHERE agent_id = {agent:String}
)
WHERE name != ''
GROUP BY kind, name
ORDER BY kind, calls DESC, name

-- An answer, of a practice fleet:
--    ┌─kind───────┬─name───────────────────┬─calls─┬──────────────first_seen─┬───────────────last_seen─┐
-- 1. │ credential │ openai                 │     4 │ 2026-11-21 09:23:18.571 │ 2026-11-21 09:23:28.976 │
-- 2. │ credential │ search                 │     3 │ 2026-11-21 09:23:19.770 │ 2026-11-21 09:23:35.701 │
-- 3. │ model      │ openai/gpt-5-mini      │     3 │ 2026-11-21 09:23:18.571 │ 2026-11-21 09:23:28.976 │
-- 4. │ model      │ openai/gpt-5           │     1 │ 2026-11-21 09:23:25.747 │ 2026-11-21 09:23:25.747 │
-- 5. │ service    │ http://127.0.0.1:43300 │     5 │ 2026-11-21 09:23:19.770 │ 2026-11-21 09:23:35.701 │
--    └────────────┴────────────────────────┴───────┴─────────────────────────┴─────────────────────────┘
