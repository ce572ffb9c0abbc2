-- What did this task cost, and what of it went where?
-- When: a bill is questioned, or a task ran long. A task's helpers in other agents have tasks of their own: question 02.
-- Parameters: task
-- Columns: agent_id, upstream, model, calls, tokens_in, tokens_out, cost_usd, unpriced, held_back
SELECT
  agent_id, upstream, model, count() AS calls,
  sum(actions.tokens_in) AS tokens_in, sum(actions.tokens_out) AS tokens_out,
  sum(actions.cost_usd) AS cost_usd,
  countIf(actions.cost_usd IS NULL) AS unpriced,
  countIf(status IN ('refused', 'escalated')) AS held_back
FROM actions
WHERE task_id = {task:String}
GROUP BY agent_id, upstream, model
ORDER BY cost_usd DESC, calls DESC

-- An answer, of a practice fleet:
--    ┌─agent_id─┬─upstream─┬─model──────┬─calls─┬─tokens_in─┬─tokens_out─┬─cost_usd─┬─unpriced─┬─held_back─┐
-- 1. │ planner  │ search   │            │     1 │      ᴺᵁᴸᴸ │       ᴺᵁᴸᴸ │    0.005 │        0 │         0 │
-- 2. │ planner  │ openai   │ gpt-5-mini │     1 │        24 │         18 │ 0.000042 │        0 │         0 │
--    └──────────┴──────────┴────────────┴───────┴───────────┴────────────┴──────────┴──────────┴───────────┘
