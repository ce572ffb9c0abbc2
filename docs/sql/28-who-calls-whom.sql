-- Which agent hands work to which?
-- When: one agent is to be changed or stopped: who waits for it?
-- Parameters: none
-- Columns: caller_agent, agent_id, calls, tasks, first_seen, last_seen
SELECT caller_agent, agent_id, calls, tasks, first_seen, last_seen
FROM agent_edges
ORDER BY calls DESC, caller_agent, agent_id

-- An answer, of a practice fleet:
--    ┌─caller_agent─┬─agent_id─┬─calls─┬─tasks─┬──────────────first_seen─┬───────────────last_seen─┐
-- 1. │ planner      │ writer   │     2 │     1 │ 2026-11-21 09:23:22.910 │ 2026-11-21 09:23:22.955 │
--    └──────────────┴──────────┴───────┴───────┴─────────────────────────┴─────────────────────────┘
