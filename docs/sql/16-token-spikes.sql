-- Which agents burn far more tokens now than they usually do?
-- When: the bill climbs. Ten times its own normal is a loop, or someone else's words in the prompt.
-- Parameters: since, usual_since
-- Columns: agent_id, tokens_per_minute_now, tokens_per_minute_usually, times
WITH
  parseDateTime64BestEffort({since:String}, 3) AS since,
  parseDateTime64BestEffort({usual_since:String}, 3) AS usual_since,
  ifNull(tokens_in, 0) + ifNull(tokens_out, 0) AS tokens
SELECT
  agent_id,
  round(sumIf(tokens, timestamp >= since) / greatest(1, dateDiff('second', since, now64(3)) / 60), 1) AS tokens_per_minute_now,
  round(sumIf(tokens, timestamp < since) / greatest(1, dateDiff('second', usual_since, since) / 60), 1) AS tokens_per_minute_usually,
  if(tokens_per_minute_usually = 0, NULL, round(tokens_per_minute_now / tokens_per_minute_usually, 1)) AS times
FROM actions
WHERE timestamp >= usual_since
GROUP BY agent_id
HAVING tokens_per_minute_now > 0
ORDER BY times IS NULL DESC, times DESC, agent_id

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─tokens_per_minute_now─┬─tokens_per_minute_usually─┬─times─┐
-- 1. │ looper   │                   492 │                         0 │  ᴺᵁᴸᴸ │
-- 2. │ writer   │                    38 │                      12.4 │   3.1 │
-- 3. │ planner  │                    42 │                        40 │     1 │
--    └──────────┴───────────────────────┴───────────────────────────┴───────┘
