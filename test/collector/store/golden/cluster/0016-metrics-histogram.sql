CREATE TABLE IF NOT EXISTS otel_metrics_histogram_local ON CLUSTER 'fleet' (
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
  ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
  ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  MetricName LowCardinality(String) CODEC(ZSTD(1)),
  MetricDescription LowCardinality(String) CODEC(ZSTD(1)),
  MetricUnit LowCardinality(String) CODEC(ZSTD(1)),
  Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  StartTimeUnix DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  TimeUnix DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  Count UInt64 CODEC(Delta(8), ZSTD(1)),
  Sum Float64 CODEC(ZSTD(1)),
  BucketCounts Array(UInt64) CODEC(ZSTD(1)),
  ExplicitBounds Array(Float64) CODEC(ZSTD(1)),
  Exemplars Nested (FilteredAttributes Map(LowCardinality(String), String), TimeUnix DateTime64(9), Value Float64, SpanId String, TraceId String) CODEC(ZSTD(1)),
  Flags UInt32 CODEC(ZSTD(1)),
  Min Float64 CODEC(ZSTD(1)),
  Max Float64 CODEC(ZSTD(1)),
  AggregationTemporality Int32 CODEC(ZSTD(1)),

  -- when the collector took it, who authenticated ('' nobody), and which segment holds its bytes
  ReceivedAt DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  Sender LowCardinality(String) CODEC(ZSTD(1)),
  SegmentId LowCardinality(String) CODEC(ZSTD(1)),

  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_value mapValues(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_time_minmax TimeUnix TYPE minmax GRANULARITY 1
) ENGINE = ReplicatedMergeTree
PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS otel_metrics_histogram ON CLUSTER 'fleet' AS otel_metrics_histogram_local ENGINE = Distributed('fleet', currentDatabase(), 'otel_metrics_histogram_local', cityHash64(ServiceName, MetricName, TimeUnix));

CREATE MATERIALIZED VIEW IF NOT EXISTS otel_segments_histogram_mv ON CLUSTER 'fleet' TO otel_segments_local AS
SELECT SegmentId, count() AS Spans, min(ReceivedAt) AS FirstReceivedAt, max(ReceivedAt) AS LastReceivedAt
FROM otel_metrics_histogram_local AS otel_metrics_histogram
GROUP BY SegmentId;
