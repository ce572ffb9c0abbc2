CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts_local ON CLUSTER 'fleet' (
  TraceId String CODEC(ZSTD(1)),
  Start DateTime CODEC(Delta, ZSTD(1)),
  End DateTime CODEC(Delta, ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts ON CLUSTER 'fleet' AS otel_traces_trace_id_ts_local ENGINE = Distributed('fleet', currentDatabase(), 'otel_traces_trace_id_ts_local', cityHash64(TraceId));

CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_trace_id_ts_mv ON CLUSTER 'fleet' TO otel_traces_trace_id_ts_local AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM otel_traces_local AS otel_traces
WHERE TraceId != ''
GROUP BY TraceId;
