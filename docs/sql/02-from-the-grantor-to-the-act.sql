-- By which way did the work come from its first grantor to this act, and what might each agent on it do?
-- When: an agent did what nobody remembers asking for.
-- Parameters: call
-- Columns: at, step, agent_id, called_by, grantor, task_id, target, rule, status
WITH
  -- the trace in which the work began: whoever works for it in another one names it
  (SELECT any(if(parent_trace_id = '', trace_id, parent_trace_id)) FROM actions WHERE call_id = {call:String}) AS work,
  (SELECT any((agent_id, depth, timestamp)) FROM actions WHERE call_id = {call:String}) AS act
SELECT
  timestamp AS at,
  row_number() OVER (ORDER BY timestamp, call_id) AS step,
  agent_id, caller_agent AS called_by, grantor, task_id, target, rule, status
FROM actions
WHERE work != '' AND (trace_id = work OR parent_trace_id = work) AND timestamp <= act.3
  AND (depth < act.2 AND has((SELECT any(way) FROM lineage WHERE work_id = work AND agent_id = act.1 AND depth = act.2), agent_id)
    OR agent_id = act.1)
ORDER BY step

-- An answer, of a practice fleet:
--    ┌──────────────────────at─┬─step─┬─agent_id─┬─called_by─┬─grantor─────────┬─task_id───┬─target────────────┬─rule──────────────────┬─status──┐
-- 1. │ 2026-11-21 09:23:18.571 │    1 │ planner  │           │                 │ brief-1   │ openai/gpt-5-mini │ llm openai/gpt-5-mini │ success │
-- 2. │ 2026-11-21 09:23:22.910 │    2 │ writer   │ planner   │ ana@example.com │ article-1 │ openai/gpt-5-mini │ llm openai/gpt-5-mini │ success │
--    └─────────────────────────┴──────┴──────────┴───────────┴─────────────────┴───────────┴───────────────────┴───────────────────────┴─────────┘
