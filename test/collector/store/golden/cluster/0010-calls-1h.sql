CREATE TABLE IF NOT EXISTS calls_1h_local ON CLUSTER 'fleet' (
  time DateTime CODEC(Delta, ZSTD(1)),
  agent_id LowCardinality(String),
  department LowCardinality(String),
  owner LowCardinality(String),
  upstream LowCardinality(String),
  model LowCardinality(String),
  action_type LowCardinality(String),
  status LowCardinality(String),
  refusal LowCardinality(String),
  verdict LowCardinality(String),
  would_verdict LowCardinality(String),
  calls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  tokens_in SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  tokens_out SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  tokens_cached SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  cost_nanodollars SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  -- calls whose cost is not known: they are in no sum of money
  unpriced SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  duration_ms SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  duration_quantiles AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Float64) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (time, agent_id, department, owner, upstream, model, action_type, status, refusal, verdict, would_verdict)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS calls_1h ON CLUSTER 'fleet' AS calls_1h_local ENGINE = Distributed('fleet', currentDatabase(), 'calls_1h_local', cityHash64(time));

CREATE MATERIALIZED VIEW IF NOT EXISTS calls_1h_mv ON CLUSTER 'fleet' TO calls_1h_local AS
SELECT
  toStartOfHour(calls_1m.time) AS time,
  agent_id, department, owner, upstream, model, action_type, status, refusal, verdict, would_verdict,
  sum(calls_1m.calls) AS calls,
  sum(calls_1m.tokens_in) AS tokens_in,
  sum(calls_1m.tokens_out) AS tokens_out,
  sum(calls_1m.tokens_cached) AS tokens_cached,
  sum(calls_1m.cost_nanodollars) AS cost_nanodollars,
  sum(calls_1m.unpriced) AS unpriced,
  sum(calls_1m.duration_ms) AS duration_ms,
  quantilesTDigestMergeState(0.5, 0.95, 0.99)(calls_1m.duration_quantiles) AS duration_quantiles
FROM calls_1m_local AS calls_1m
GROUP BY time, agent_id, department, owner, upstream, model, action_type, status, refusal, verdict, would_verdict;
