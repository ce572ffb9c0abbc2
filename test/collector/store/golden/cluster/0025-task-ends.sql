CREATE TABLE IF NOT EXISTS task_ends_local ON CLUSTER 'fleet' (
  agent_id LowCardinality(String),
  task_id String CODEC(ZSTD(1)),
  at DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  state LowCardinality(String),
  output_units Nullable(Int64) CODEC(ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (agent_id, task_id, at)
SETTINGS index_granularity = 8192, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS task_ends ON CLUSTER 'fleet' AS task_ends_local ENGINE = Distributed('fleet', currentDatabase(), 'task_ends_local', cityHash64(agent_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS task_ends_mv ON CLUSTER 'fleet' TO task_ends_local AS
SELECT
  agent_id,
  JSONExtractString(details, 'task') AS task_id,
  timestamp AS at,
  JSONExtractString(details, 'state') AS state,
  JSONExtract(details, 'output_units', 'Nullable(Int64)') AS output_units
FROM control_event_records_local AS control_event_records
WHERE event = 'task_ended';

INSERT INTO task_ends
SELECT
  agent_id,
  JSONExtractString(details, 'task') AS task_id,
  timestamp AS at,
  JSONExtractString(details, 'state') AS state,
  JSONExtract(details, 'output_units', 'Nullable(Int64)') AS output_units
FROM control_event_records
WHERE event = 'task_ended';

CREATE OR REPLACE VIEW tasks ON CLUSTER 'fleet' AS
SELECT
  agent_id, task_id, department, owner, fleet_id, caller_agent, grantor, first_call, last_call, calls, failures,
  refusals, escalations, tokens_in, tokens_out, cost_usd, unpriced, models, distinct_targets,
  -- what was called after its end began it again
  ended.how != '' AND ended.at >= called.last_call AS is_over,
  if(is_over, ended.how, 'open') AS state,
  if(is_over, ended.at, NULL) AS ended_at,
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
    task_id,
    argMax(state, task_ends.at) AS how,
    max(task_ends.at) AS at,
    argMax(output_units, task_ends.at) AS units
  FROM task_ends
  GROUP BY agent_id, task_id
) AS ended USING (agent_id, task_id);
