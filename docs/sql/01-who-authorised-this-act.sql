-- Who authorised this act, under which rule, put in force by whom?
-- When: an act is questioned, and its call id is known (x-outrider-call, or any of the questions below).
-- Parameters: call
-- Columns: at, agent_id, target, verdict, rule, approved_by, grantor, caller_agent, owner, policy, in_force_from, put_in_force_by
SELECT
  act.timestamp AS at, act.agent_id AS agent_id, target, verdict, rule, approved_by, grantor, caller_agent, owner,
  left(act.digest, 12) AS policy,
  loaded.in_force_from AS in_force_from,
  loaded.actor AS put_in_force_by
FROM (SELECT *, policy_digest AS digest FROM actions WHERE call_id = {call:String}) AS act
-- the last time this instance took that policy up before the act
ASOF LEFT JOIN policies AS loaded
  ON loaded.digest = act.digest AND loaded.agent_id = act.agent_id AND loaded.agent_instance = act.agent_instance
  AND loaded.in_force_from <= act.timestamp

-- An answer, of a practice fleet:
--    ┌──────────────────────at─┬─agent_id─┬─target────────────┬─verdict─┬─rule──────────────────┬─approved_by─┬─grantor─────────┬─caller_agent─┬─owner─┬─policy───────┬───────────in_force_from─┬─put_in_force_by─┐
-- 1. │ 2026-11-21 09:23:22.910 │ writer   │ openai/gpt-5-mini │ allow   │ llm openai/gpt-5-mini │             │ ana@example.com │ planner      │ ben   │ ae1a9f89a712 │ 2026-11-21 09:23:18.345 │ ana@ops         │
--    └─────────────────────────┴──────────┴───────────────────┴─────────┴───────────────────────┴─────────────┴─────────────────┴──────────────┴───────┴──────────────┴─────────────────────────┴─────────────────┘
