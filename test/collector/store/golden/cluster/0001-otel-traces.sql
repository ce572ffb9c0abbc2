CREATE TABLE IF NOT EXISTS otel_traces_local ON CLUSTER 'fleet' (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)),
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64 CODEC(T64, ZSTD(1)),
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(ZSTD(1)),
  Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
  Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),

  -- when the collector took it, who authenticated ('' nobody), and which segment holds its bytes
  ReceivedAt DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  Sender LowCardinality(String) CODEC(ZSTD(1)),
  SegmentId LowCardinality(String) CODEC(ZSTD(1)),

  -- what questions about agents need most: reading a map reads all of it
  GenAiOperation LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.operation.name'] CODEC(ZSTD(1)),
  GenAiAgent LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.agent.name'] CODEC(ZSTD(1)),
  GenAiModel LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.request.model'] CODEC(ZSTD(1)),
  GenAiTool LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.tool.name'] CODEC(ZSTD(1)),
  InputTokens Nullable(UInt64) MATERIALIZED toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens']) CODEC(T64, ZSTD(1)),
  OutputTokens Nullable(UInt64) MATERIALIZED toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens']) CODEC(T64, ZSTD(1)),

  ResourceAttributeItems Array(String) ALIAS arrayMap(kv -> concat(kv.1, '=', kv.2), CAST(ResourceAttributes, 'Array(Tuple(String, String))')),
  SpanAttributeItems Array(String) ALIAS arrayMap(kv -> concat(kv.1, '=', kv.2), CAST(SpanAttributes, 'Array(Tuple(String, String))')),

  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = ReplicatedMergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS otel_traces ON CLUSTER 'fleet' AS otel_traces_local ENGINE = Distributed('fleet', currentDatabase(), 'otel_traces_local', cityHash64(TraceId));
