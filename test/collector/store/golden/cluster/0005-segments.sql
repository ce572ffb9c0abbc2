CREATE TABLE IF NOT EXISTS otel_segments_local ON CLUSTER 'fleet' (
  SegmentId String CODEC(ZSTD(1)),
  Spans UInt64 CODEC(ZSTD(1)),
  FirstReceivedAt DateTime64(3) CODEC(ZSTD(1)),
  LastReceivedAt DateTime64(3) CODEC(ZSTD(1))
) ENGINE = ReplicatedMergeTree
PARTITION BY toYYYYMM(FirstReceivedAt)
ORDER BY SegmentId
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS otel_segments ON CLUSTER 'fleet' AS otel_segments_local ENGINE = Distributed('fleet', currentDatabase(), 'otel_segments_local', cityHash64(SegmentId));

CREATE MATERIALIZED VIEW IF NOT EXISTS otel_segments_mv ON CLUSTER 'fleet' TO otel_segments_local AS
SELECT SegmentId, count() AS Spans, min(ReceivedAt) AS FirstReceivedAt, max(ReceivedAt) AS LastReceivedAt
FROM otel_traces_local AS otel_traces
GROUP BY SegmentId;
