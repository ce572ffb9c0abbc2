CREATE TABLE IF NOT EXISTS dead_letter_calls_local ON CLUSTER 'fleet' (
  timestamp DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  ended_at DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  loaded_at DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  segment_id String CODEC(ZSTD(1)),
  mark LowCardinality(String),
  call_digest String CODEC(ZSTD(1)),
  call_id String CODEC(ZSTD(1)),
  replay_of String CODEC(ZSTD(1)),
  agent_id LowCardinality(String),
  agent_instance LowCardinality(String),
  owner LowCardinality(String),
  department LowCardinality(String),
  task_id String CODEC(ZSTD(1)),
  upstream LowCardinality(String),
  target String CODEC(ZSTD(1)),
  operation LowCardinality(String),
  model LowCardinality(String),
  method LowCardinality(String),
  path String CODEC(ZSTD(1)),
  error_type LowCardinality(String),
  refusal LowCardinality(String),
  http_status UInt16 CODEC(ZSTD(1)),
  upstream_status UInt16 CODEC(ZSTD(1)),
  message String CODEC(ZSTD(1)),
  body_digest String CODEC(ZSTD(1)),
  request String CODEC(ZSTD(1)),
  answer String CODEC(ZSTD(1)),
  not_kept LowCardinality(String),
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  INDEX idx_loaded_at loaded_at TYPE minmax GRANULARITY 1
) ENGINE = ReplicatedMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (segment_id, timestamp)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS dead_letter_calls ON CLUSTER 'fleet' AS dead_letter_calls_local ENGINE = Distributed('fleet', currentDatabase(), 'dead_letter_calls_local', cityHash64(trace_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS dead_letter_calls_mv ON CLUSTER 'fleet' TO dead_letter_calls_local AS
SELECT
  toDateTime64(Timestamp, 3) AS timestamp,
  toDateTime64(Timestamp + toIntervalNanosecond(Duration), 3) AS ended_at,
  now64(3) AS loaded_at,
  SegmentId AS segment_id,
  SpanAttributes['outrider.dead_letter'] AS mark,
  SpanAttributes['outrider.dead_letter.call.sha256'] AS call_digest,
  SpanAttributes['outrider.call.id'] AS call_id,
  SpanAttributes['outrider.replay_of'] AS replay_of,
  SpanAttributes['outrider.agent'] AS agent_id,
  SpanAttributes['outrider.agent.instance'] AS agent_instance,
  SpanAttributes['outrider.owner'] AS owner,
  SpanAttributes['outrider.department'] AS department,
  SpanAttributes['outrider.task'] AS task_id,
  SpanAttributes['outrider.upstream'] AS upstream,
  SpanAttributes['outrider.target'] AS target,
  SpanAttributes['gen_ai.operation.name'] AS operation,
  SpanAttributes['outrider.model'] AS model,
  SpanAttributes['http.request.method'] AS method,
  SpanAttributes['url.path'] AS path,
  SpanAttributes['error.type'] AS error_type,
  SpanAttributes['outrider.refusal'] AS refusal,
  toUInt16OrZero(SpanAttributes['outrider.http_status']) AS http_status,
  toUInt16OrZero(SpanAttributes['http.response.status_code']) AS upstream_status,
  SpanAttributes['outrider.dead_letter.message'] AS message,
  SpanAttributes['outrider.request.body.sha256'] AS body_digest,
  SpanAttributes['outrider.dead_letter.request.sha256'] AS request,
  SpanAttributes['outrider.dead_letter.answer.sha256'] AS answer,
  SpanAttributes['outrider.dead_letter.not_kept'] AS not_kept,
  TraceId AS trace_id,
  SpanId AS span_id
FROM otel_traces_local AS otel_traces
WHERE ScopeName = 'outrider.sidecar' AND Sender != '' AND SpanAttributes['outrider.dead_letter'] != '';
