CREATE TABLE IF NOT EXISTS calls_1m_local ON CLUSTER 'fleet' (
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

CREATE TABLE IF NOT EXISTS calls_1m ON CLUSTER 'fleet' AS calls_1m_local ENGINE = Distributed('fleet', currentDatabase(), 'calls_1m_local', cityHash64(time));

CREATE MATERIALIZED VIEW IF NOT EXISTS calls_1m_mv ON CLUSTER 'fleet' TO calls_1m_local AS
SELECT
  toStartOfMinute(timestamp) AS time,
  agent_id, department, owner, upstream, model, action_type, status, refusal, verdict, would_verdict,
  count() AS calls,
  sum(ifNull(actions.tokens_in, 0)) AS tokens_in,
  sum(ifNull(actions.tokens_out, 0)) AS tokens_out,
  sum(ifNull(actions.tokens_cached, 0)) AS tokens_cached,
  sum(toInt64(toDecimal128(ifNull(cost_usd, 0), 9) * 1000000000)) AS cost_nanodollars,
  countIf(cost_usd IS NULL) AS unpriced,
  sum(actions.duration_ms) AS duration_ms,
  quantilesTDigestState(0.5, 0.95, 0.99)(actions.duration_ms) AS duration_quantiles
FROM actions_local AS actions
GROUP BY time, agent_id, department, owner, upstream, model, action_type, status, refusal, verdict, would_verdict;
