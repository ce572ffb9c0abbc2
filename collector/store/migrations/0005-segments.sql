-- How many spans of each segment were stored: what a load answers, first time or replayed.
CREATE TABLE IF NOT EXISTS otel_segments (
  SegmentId String CODEC(ZSTD(1)),
  Spans UInt64 CODEC(ZSTD(1)),
  FirstReceivedAt DateTime64(3) CODEC(ZSTD(1)),
  LastReceivedAt DateTime64(3) CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toYYYYMM(FirstReceivedAt)
ORDER BY SegmentId
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, merge_selector_base = 12;

CREATE MATERIALIZED VIEW IF NOT EXISTS otel_segments_mv TO otel_segments AS
SELECT SegmentId, count() AS Spans, min(ReceivedAt) AS FirstReceivedAt, max(ReceivedAt) AS LastReceivedAt
FROM otel_traces
GROUP BY SegmentId;
