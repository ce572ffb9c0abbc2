-- Of the tools that models asked this agent to run, which does it say itself that it ran, and how did that go?
-- When: a request is on record, and it must be known what became of it.
-- Parameters: agent, since
-- Columns: requested_at, task_id, model, tool_name, tool_call_id, run_at, runs, run_status
-- A run is told by a span of the agent's own (`execute_tool`) that names the model's id of the request, in the same trace. It is never
-- guessed from a tool's name, nor is a call that a sidecar saw: those name no request. NULL is not told, which is not the same as not run.
WITH
  parseDateTime64BestEffort({since:String}, 3) AS since,
  requested AS (
    SELECT timestamp, task_id, trace_id, model, tool_name, tool_call_id
    FROM tool_requests
    WHERE agent_id = {agent:String} AND timestamp >= since AND tool_call_id != ''
  )
SELECT
  timestamp AS requested_at, task_id, model, tool_name, tool_call_id,
  if(told.times = 0, NULL, toDateTime64(told.first, 3)) AS run_at,
  told.times AS runs,
  if(told.times = 0, NULL, told.status) AS run_status
FROM requested
LEFT JOIN (
  SELECT
    TraceId AS trace,
    -- by the GenAI conventions, OpenInference, and the AI SDK
    arrayFirst(id -> id != '', [SpanAttributes['gen_ai.tool.call.id'], SpanAttributes['tool.id'], SpanAttributes['ai.toolCall.id']]) AS id,
    min(Timestamp) AS first, count() AS times, argMax(StatusCode, Timestamp) AS status
  FROM otel_traces
  WHERE GenAiOperation = 'execute_tool' AND Timestamp >= since AND TraceId IN (SELECT trace_id FROM requested) AND id != ''
  GROUP BY trace, id
) AS told ON requested.trace_id = told.trace AND requested.tool_call_id = told.id
ORDER BY requested_at, tool_call_id

-- An answer, of a practice fleet:
--    ┌────────────requested_at─┬─task_id───┬─model──────┬─tool_name─┬─tool_call_id──┬──────────────────run_at─┬─runs─┬─run_status─┐
-- 1. │ 2026-11-22 07:05:28.373 │ article-1 │ gpt-5-mini │ announce  │ call-announce │                    ᴺᵁᴸᴸ │    0 │ ᴺᵁᴸᴸ       │
-- 2. │ 2026-11-22 07:05:28.373 │ article-1 │ gpt-5-mini │ publish   │ call-publish  │ 2026-11-22 07:05:28.376 │    1 │ Ok         │
--    └─────────────────────────┴───────────┴────────────┴───────────┴───────────────┴─────────────────────────┴──────┴────────────┘
