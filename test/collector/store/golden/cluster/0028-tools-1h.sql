CREATE TABLE IF NOT EXISTS tools_1h_local ON CLUSTER 'fleet' (
  hour DateTime CODEC(Delta(4), ZSTD(1)),
  agent_id LowCardinality(String),
  upstream LowCardinality(String),
  tool String CODEC(ZSTD(1)),
  calls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  failures SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  refusals SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  escalations SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  duration_ms AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Float32) CODEC(ZSTD(1)),
  cost_usd SimpleAggregateFunction(sum, Decimal(38, 9)) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, agent_id, upstream, tool)
SETTINGS index_granularity = 8192, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS tools_1h ON CLUSTER 'fleet' AS tools_1h_local ENGINE = Distributed('fleet', currentDatabase(), 'tools_1h_local', cityHash64(hour));

CREATE MATERIALIZED VIEW IF NOT EXISTS tools_1h_mv ON CLUSTER 'fleet' TO tools_1h_local AS
SELECT
  toStartOfHour(timestamp) AS hour,
  agent_id,
  upstream,
  target AS tool,
  count() AS calls,
  countIf(status IN ('failure', 'timeout')) AS failures,
  countIf(status = 'refused') AS refusals,
  countIf(status = 'escalated') AS escalations,
  quantilesTDigestStateIf(0.5, 0.95, 0.99)(toFloat32(actions.duration_ms), status NOT IN ('refused', 'escalated')) AS duration_ms,
  sum(toDecimal128(ifNull(actions.cost_usd, 0), 9)) AS cost_usd
FROM actions_local AS actions
WHERE action_type = 'tool_use'
GROUP BY hour, agent_id, upstream, tool;

CREATE VIEW IF NOT EXISTS tools ON CLUSTER 'fleet' AS
SELECT
  hour, agent_id, upstream, tool,
  sum(tools_1h.calls) AS calls,
  sum(tools_1h.failures) AS failures,
  sum(tools_1h.refusals) AS refusals,
  sum(tools_1h.escalations) AS escalations,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(tools_1h.duration_ms) AS quantiles,
  quantiles[1] AS p50_ms,
  quantiles[2] AS p95_ms,
  quantiles[3] AS p99_ms,
  sum(tools_1h.cost_usd) AS cost_usd
FROM tools_1h
GROUP BY hour, agent_id, upstream, tool;
