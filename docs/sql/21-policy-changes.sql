-- Which policies were in force, since when, put there by whom?
-- When: something passed that should not have, or the other way round. `text` has the words: select it for one digest.
-- Parameters: since
-- Columns: in_force_from, policy, actor, agent_id, instances, bytes_of_text
SELECT
  min(policies.in_force_from) AS in_force_from, left(digest, 12) AS policy, actor, agent_id,
  uniqExact(agent_instance) AS instances, max(length(text)) AS bytes_of_text
FROM policies
WHERE policies.in_force_from >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY digest, actor, agent_id
ORDER BY in_force_from, agent_id

-- An answer, of a practice fleet:
--    ┌───────────in_force_from─┬─policy───────┬─actor───┬─agent_id─┬─instances─┬─bytes_of_text─┐
-- 1. │ 2026-11-21 09:23:16.149 │ ae1a9f89a712 │ ana@ops │          │         1 │          1923 │
-- 2. │ 2026-11-21 09:23:18.345 │ ae1a9f89a712 │ ana@ops │ looper   │         1 │          1923 │
-- 3. │ 2026-11-21 09:23:18.345 │ ae1a9f89a712 │ ana@ops │ planner  │         2 │          1923 │
-- 4. │ 2026-11-21 09:23:18.345 │ ae1a9f89a712 │ ana@ops │ poor     │         1 │          1923 │
-- 5. │ 2026-11-21 09:23:18.345 │ ae1a9f89a712 │ ana@ops │ shadow   │         1 │          1923 │
--    └─────────────────────────┴──────────────┴─────────┴──────────┴───────────┴───────────────┘
