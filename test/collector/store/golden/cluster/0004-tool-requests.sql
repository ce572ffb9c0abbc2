CREATE TABLE IF NOT EXISTS tool_requests_local ON CLUSTER 'fleet' (
  timestamp DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  agent_id LowCardinality(String),
  agent_instance LowCardinality(String),
  task_id String CODEC(ZSTD(1)),
  call_id String CODEC(ZSTD(1)),
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  upstream LowCardinality(String),
  model LowCardinality(String),
  tool_name LowCardinality(String),
  tool_call_id String CODEC(ZSTD(1)),
  arguments_digest String CODEC(ZSTD(1)),
  INDEX idx_call_id call_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (toStartOfHour(timestamp), agent_id, timestamp)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS tool_requests ON CLUSTER 'fleet' AS tool_requests_local ENGINE = Distributed('fleet', currentDatabase(), 'tool_requests_local', cityHash64(trace_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS tool_requests_mv ON CLUSTER 'fleet' TO tool_requests_local AS
SELECT
  toDateTime64(at, 3) AS timestamp,
  SpanAttributes['outrider.agent'] AS agent_id,
  SpanAttributes['outrider.agent.instance'] AS agent_instance,
  SpanAttributes['outrider.task'] AS task_id,
  SpanAttributes['outrider.call.id'] AS call_id,
  TraceId AS trace_id,
  SpanId AS span_id,
  SpanAttributes['outrider.upstream'] AS upstream,
  SpanAttributes['outrider.model'] AS model,
  attributes['gen_ai.tool.name'] AS tool_name,
  attributes['gen_ai.tool.call.id'] AS tool_call_id,
  attributes['outrider.tool.arguments.sha256'] AS arguments_digest
FROM otel_traces_local AS otel_traces
ARRAY JOIN Events.Timestamp AS at, Events.Name AS name, Events.Attributes AS attributes
WHERE ScopeName = 'outrider.sidecar' AND Sender != '' AND name = 'outrider.tool_request';
