CREATE VIEW IF NOT EXISTS lineage ON CLUSTER 'fleet' AS
SELECT
  work_id,
  -- said by the first agent's caller; nobody has vouched for the name
  hop.grantor AS grantor,
  hop.agent_id AS agent_id,
  hop.caller_agent AS caller_agent,
  hop.depth AS depth,
  -- from the first agent to this one; shorter where a caller's own calls are not known
  arrayReverse(arrayFold(
    (way, level) -> if(
      arrayExists(each -> each.agent_id = way[-1] AND each.depth = level AND each.caller_agent != '', hops),
      arrayPushBack(way, arrayFirst(each -> each.agent_id = way[-1] AND each.depth = level, hops).caller_agent),
      way),
    arrayReverse(range(1, toUInt64(hop.depth))),
    if(hop.caller_agent = '', [hop.agent_id], [hop.agent_id, hop.caller_agent])
  )) AS way,
  hop.tasks AS tasks,
  hop.first_call AS first_call,
  hop.last_call AS last_call,
  hop.calls AS calls,
  hop.cost_usd AS cost_usd
FROM (
  SELECT work_id, groupArray(CAST(
    (agent_id, caller_agent, grantor, depth, tasks, first_call, last_call, calls, cost_usd),
    'Tuple(agent_id String, caller_agent String, grantor String, depth UInt8, tasks Array(String), first_call DateTime64(3), last_call DateTime64(3), calls UInt64, cost_usd Decimal(38, 9))'
  )) AS hops
  FROM (
    SELECT
      -- the trace in which the work began: every later one names it
      if(parent_trace_id = '', trace_id, parent_trace_id) AS work_id,
      agent_id, caller_agent, grantor, depth,
      arraySort(groupUniqArrayIf(task_id, task_id != '')) AS tasks,
      min(timestamp) AS first_call,
      max(timestamp) AS last_call,
      count() AS calls,
      sum(toDecimal128(ifNull(actions.cost_usd, 0), 9)) AS cost_usd
    FROM actions
    WHERE trace_id != ''
    GROUP BY work_id, agent_id, caller_agent, grantor, depth
    ORDER BY first_call
  )
  GROUP BY work_id
)
ARRAY JOIN hops AS hop;
