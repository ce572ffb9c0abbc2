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
-- 1. │ anthropic    │ looper   │ anthropic │    12 │ 2026-11-21 09:23:24.988 │ 2026-11-21 09:23:25.663 │
-- 2. │ openai       │ planner  │ openai    │     4 │ 2026-11-21 09:23:18.571 │ 2026-11-21 09:23:28.976 │
-- 3. │ openai       │ shadow   │ openai    │     1 │ 2026-11-21 09:23:23.297 │ 2026-11-21 09:23:23.297 │
-- 4. │ openai-press │ writer   │ openai    │     2 │ 2026-11-21 09:23:22.910 │ 2026-11-21 09:23:26.920 │
-- 5. │ search       │ planner  │ search    │     3 │ 2026-11-21 09:23:19.770 │ 2026-11-21 09:23:35.701 │
--    └──────────────┴──────────┴───────────┴───────┴─────────────────────────┴─────────────────────────┘
