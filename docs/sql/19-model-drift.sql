-- Which agents moved to other models, and what does a call cost there?
-- When: spend rises though the work is the same.
-- Parameters: since
-- Columns: agent_id, model, calls_before, calls_since, share_before_percent, share_since_percent, usd_per_call
WITH parseDateTime64BestEffort({since:String}, 3) AS since
SELECT
  agent_id, model,
  countIf(timestamp < since) AS calls_before,
  countIf(timestamp >= since) AS calls_since,
  round(100 * calls_before / greatest(1, sum(calls_before) OVER (PARTITION BY agent_id)), 1) AS share_before_percent,
  round(100 * calls_since / greatest(1, sum(calls_since) OVER (PARTITION BY agent_id)), 1) AS share_since_percent,
  round(avg(toFloat64(actions.cost_usd)), 6) AS usd_per_call
FROM actions
WHERE action_type = 'llm_inference' AND model != '' AND status = 'success'
GROUP BY agent_id, model
ORDER BY agent_id, share_since_percent DESC, model

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─model────────────┬─calls_before─┬─calls_since─┬─share_before_percent─┬─share_since_percent─┬─usd_per_call─┐
-- 1. │ looper   │ claude-haiku-4-5 │            0 │          12 │                    0 │                 100 │     0.000113 │
-- 2. │ planner  │ gpt-5            │            0 │           1 │                    0 │                 100 │      0.00021 │
-- 3. │ planner  │ gpt-5-mini       │            2 │           0 │                  100 │                   0 │     0.000042 │
-- 4. │ shadow   │ gpt-5            │            1 │           0 │                  100 │                   0 │     0.000205 │
-- 5. │ writer   │ gpt-5            │            0 │           1 │                    0 │                 100 │     0.000205 │
--    └──────────┴──────────────────┴──────────────┴─────────────┴──────────────────────┴─────────────────────┴──────────────┘
