-- What does this agent really use: models, services, tools, credentials, versions?
-- When: for a security review, or before a supplier or model is dropped.
-- Parameters: agent
-- Columns: kind, name, calls, first_seen, last_seen
SELECT kind, name, calls, first_seen, last_seen
FROM agent_bom
WHERE agent_id = {agent:String}
ORDER BY kind, calls DESC, name

-- An answer, of a practice fleet:
--    ┌─kind───────┬─name───────────────────┬─calls─┬──────────────first_seen─┬───────────────last_seen─┐
-- 1. │ credential │ openai                 │     4 │ 2026-11-21 09:23:18.571 │ 2026-11-21 09:23:28.976 │
-- 2. │ credential │ search                 │     3 │ 2026-11-21 09:23:19.770 │ 2026-11-21 09:23:35.701 │
-- 3. │ model      │ openai/gpt-5-mini      │     3 │ 2026-11-21 09:23:18.571 │ 2026-11-21 09:23:28.976 │
-- 4. │ model      │ openai/gpt-5           │     1 │ 2026-11-21 09:23:25.747 │ 2026-11-21 09:23:25.747 │
-- 5. │ service    │ http://127.0.0.1:43300 │     5 │ 2026-11-21 09:23:19.770 │ 2026-11-21 09:23:35.701 │
--    └────────────┴────────────────────────┴───────┴─────────────────────────┴─────────────────────────┘
