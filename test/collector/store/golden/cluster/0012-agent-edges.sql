CREATE TABLE IF NOT EXISTS agent_edge_calls_local ON CLUSTER 'fleet' (
  caller_agent LowCardinality(String),
  agent_id LowCardinality(String),
  first_seen SimpleAggregateFunction(min, DateTime64(3)) CODEC(ZSTD(1)),
  last_seen SimpleAggregateFunction(max, DateTime64(3)) CODEC(ZSTD(1)),
  calls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  tasks AggregateFunction(uniq, String) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree
PARTITION BY toYYYYMM(last_seen)
ORDER BY (caller_agent, agent_id)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS agent_edge_calls ON CLUSTER 'fleet' AS agent_edge_calls_local ENGINE = Distributed('fleet', currentDatabase(), 'agent_edge_calls_local', cityHash64(caller_agent));

CREATE MATERIALIZED VIEW IF NOT EXISTS agent_edge_calls_mv ON CLUSTER 'fleet' TO agent_edge_calls_local AS
SELECT
  caller_agent,
  agent_id,
  min(timestamp) AS first_seen,
  max(timestamp) AS last_seen,
  count() AS calls,
  uniqState(task_id) AS tasks
FROM actions_local AS actions
WHERE caller_agent != ''
GROUP BY caller_agent, agent_id;

CREATE VIEW IF NOT EXISTS agent_edges ON CLUSTER 'fleet' AS
SELECT
  caller_agent,
  agent_id,
  sum(agent_edge_calls.calls) AS calls,
  min(agent_edge_calls.first_seen) AS first_seen,
  max(agent_edge_calls.last_seen) AS last_seen,
  uniqMerge(agent_edge_calls.tasks) AS tasks
FROM agent_edge_calls
GROUP BY caller_agent, agent_id;
