-- Which agent uses which credential, since when, and when last?
-- When: a key is rotated, leaked, or shows up on a bill nobody expects.
-- Parameters: none
-- Columns: credential, agent_id, upstream, calls, first_seen, last_seen
SELECT
  credential, agent_id, upstream, count() AS calls, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM actions
WHERE credential != ''
GROUP BY credential, agent_id, upstream
ORDER BY credential, calls DESC, agent_id

-- An answer, of a practice fleet:
--    ┌─credential───┬─agent_id─┬─upstream──┬─calls─┬──────────────first_seen─┬───────────────last_seen─┐
-- 1. │ anthropic    │ looper   │ anthropic │    12 │ 2026-11-21 08:58:23.702 │ 2026-11-21 08:58:23.783 │
-- 2. │ openai       │ planner  │ openai    │     4 │ 2026-11-21 08:58:20.413 │ 2026-11-21 08:58:24.035 │
-- 3. │ openai       │ shadow   │ openai    │     1 │ 2026-11-21 08:58:22.281 │ 2026-11-21 08:58:22.281 │
-- 4. │ openai-press │ writer   │ openai    │     2 │ 2026-11-21 08:58:22.185 │ 2026-11-21 08:58:23.919 │
-- 5. │ search       │ planner  │ search    │     3 │ 2026-11-21 08:58:20.662 │ 2026-11-21 08:58:24.759 │
--    └──────────────┴──────────┴───────────┴───────┴─────────────────────────┴─────────────────────────┘
