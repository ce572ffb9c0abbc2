-- Which targets are slow?
-- When: tasks take longer than they did.
-- Parameters: since
-- Columns: target, calls, p50_ms, p95_ms, p99_ms, slowest_ms, timeouts
SELECT
  target, count() AS calls,
  round(quantileTDigest(0.5)(duration_ms)) AS p50_ms,
  round(quantileTDigest(0.95)(duration_ms)) AS p95_ms,
  round(quantileTDigest(0.99)(duration_ms)) AS p99_ms,
  round(max(duration_ms)) AS slowest_ms,
  countIf(status = 'timeout') AS timeouts
FROM actions
WHERE status IN ('success', 'failure', 'timeout') AND timestamp >= parseDateTime64BestEffort({since:String}, 3)
GROUP BY target
ORDER BY p95_ms DESC, target
LIMIT 20

-- An answer, of a practice fleet:
--    ┌─target────────────────────────────────────┬─calls─┬─p50_ms─┬─p95_ms─┬─p99_ms─┬─slowest_ms─┬─timeouts─┐
-- 1. │ GET http://127.0.0.1:43300/cms/pages/2    │     1 │   1388 │   1388 │   1388 │       1388 │        1 │
-- 2. │ openai/gpt-5-mini                         │     4 │     42 │   1138 │   1138 │       1138 │        0 │
-- 3. │ GET http://127.0.0.1:43300/search/items/9 │     1 │    542 │    542 │    542 │        542 │        0 │
-- 4. │ GET http://127.0.0.1:43300/search/items/2 │     1 │    319 │    319 │    319 │        319 │        0 │
-- 5. │ openai/gpt-5                              │     3 │     59 │    178 │    178 │        178 │        0 │
--    └───────────────────────────────────────────┴───────┴────────┴────────┴────────┴────────────┴──────────┘
