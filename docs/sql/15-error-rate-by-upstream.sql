-- What fails, how often, and how?
-- When: circuits open, or agents report errors. Refusals are no failures: question 09.
-- Parameters: since
-- Columns: upstream, calls, failures, timeouts, error_percent, upstream_statuses
SELECT
  upstream, count() AS calls, countIf(status = 'failure') AS failures, countIf(status = 'timeout') AS timeouts,
  round(100 * (failures + timeouts) / calls, 1) AS error_percent,
  arraySort(groupUniqArrayIf(http_status, status IN ('failure', 'timeout'))) AS upstream_statuses
FROM actions
WHERE status IN ('success', 'failure', 'timeout') AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY upstream
ORDER BY error_percent DESC, upstream

-- An answer, of a practice fleet:
--    ┌─upstream──┬─calls─┬─failures─┬─timeouts─┬─error_percent─┬─upstream_statuses─┐
-- 1. │ cms       │     3 │        1 │        1 │          66.7 │ [500,504]         │
-- 2. │ openai    │     7 │        1 │        0 │          14.3 │ [0]               │
-- 3. │ anthropic │    12 │        0 │        0 │             0 │ []                │
-- 4. │ search    │     3 │        0 │        0 │             0 │ []                │
--    └───────────┴───────┴──────────┴──────────┴───────────────┴───────────────────┘
