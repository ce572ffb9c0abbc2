CREATE TABLE IF NOT EXISTS task_calls_local ON CLUSTER 'fleet' (
  agent_id LowCardinality(String),
  task_id String CODEC(ZSTD(1)),
  first_call SimpleAggregateFunction(min, DateTime64(3)) CODEC(ZSTD(1)),
  last_call SimpleAggregateFunction(max, DateTime64(3)) CODEC(ZSTD(1)),
  -- fleet, department and owner as the last call had them; caller and grantor as the first
  home AggregateFunction(argMax, Tuple(fleet_id String, department String, owner String), DateTime64(3)) CODEC(ZSTD(1)),
  lineage AggregateFunction(argMin, Tuple(caller_agent String, grantor String), DateTime64(3)) CODEC(ZSTD(1)),
  calls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  failures SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  refusals SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  escalations SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  tokens_in SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  tokens_out SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  cost_usd SimpleAggregateFunction(sum, Decimal(38, 9)) CODEC(ZSTD(1)),
  unpriced SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  models SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
  targets AggregateFunction(uniq, String) CODEC(ZSTD(1)),
  INDEX idx_last_call last_call TYPE minmax GRANULARITY 1
) ENGINE = ReplicatedAggregatingMergeTree
PARTITION BY toYYYYMM(last_call)
ORDER BY (agent_id, task_id)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS task_calls ON CLUSTER 'fleet' AS task_calls_local ENGINE = Distributed('fleet', currentDatabase(), 'task_calls_local', cityHash64(agent_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS task_calls_mv ON CLUSTER 'fleet' TO task_calls_local AS
SELECT
  agent_id,
  task_id,
  min(timestamp) AS first_call,
  max(timestamp) AS last_call,
  argMaxState(CAST((fleet_id, department, owner), 'Tuple(fleet_id String, department String, owner String)'), timestamp) AS home,
  argMinState(CAST((caller_agent, grantor), 'Tuple(caller_agent String, grantor String)'), timestamp) AS lineage,
  count() AS calls,
  countIf(status IN ('failure', 'timeout')) AS failures,
  countIf(status = 'refused') AS refusals,
  countIf(status = 'escalated') AS escalations,
  sum(ifNull(actions.tokens_in, 0)) AS tokens_in,
  sum(ifNull(actions.tokens_out, 0)) AS tokens_out,
  sum(toDecimal128(ifNull(actions.cost_usd, 0), 9)) AS cost_usd,
  countIf(actions.cost_usd IS NULL) AS unpriced,
  groupUniqArrayIf(toString(model), model != '') AS models,
  uniqState(target) AS targets
FROM actions_local AS actions
WHERE task_id != ''
GROUP BY agent_id, task_id;

CREATE VIEW IF NOT EXISTS tasks ON CLUSTER 'fleet' AS
SELECT
  agent_id, task_id, department, owner, fleet_id, caller_agent, grantor, first_call, last_call, calls, failures,
  refusals, escalations, tokens_in, tokens_out, cost_usd, unpriced, models, distinct_targets,
  if(ended.how = '', 'open', ended.how) AS state,
  if(ended.how = '', NULL, ended.at) AS ended_at,
  ended.units AS output_units
FROM (
  SELECT
    agent_id,
    task_id,
    argMaxMerge(home) AS at_home,
    argMinMerge(task_calls.lineage) AS begun_by,
    at_home.fleet_id AS fleet_id,
    at_home.department AS department,
    at_home.owner AS owner,
    begun_by.caller_agent AS caller_agent,
    begun_by.grantor AS grantor,
    min(task_calls.first_call) AS first_call,
    max(task_calls.last_call) AS last_call,
    sum(task_calls.calls) AS calls,
    sum(task_calls.failures) AS failures,
    sum(task_calls.refusals) AS refusals,
    sum(task_calls.escalations) AS escalations,
    sum(task_calls.tokens_in) AS tokens_in,
    sum(task_calls.tokens_out) AS tokens_out,
    sum(task_calls.cost_usd) AS cost_usd,
    sum(task_calls.unpriced) AS unpriced,
    arraySort(groupUniqArrayArray(task_calls.models)) AS models,
    uniqMerge(targets) AS distinct_targets
  FROM task_calls
  GROUP BY agent_id, task_id
) AS called
LEFT JOIN (
  SELECT
    agent_id,
    JSONExtractString(details, 'task') AS task_id,
    argMin(JSONExtractString(details, 'state'), timestamp) AS how,
    min(timestamp) AS at,
    argMin(JSONExtract(details, 'output_units', 'Nullable(Int64)'), timestamp) AS units
  FROM control_events
  WHERE event = 'task_ended'
  GROUP BY agent_id, task_id
) AS ended USING (agent_id, task_id);
