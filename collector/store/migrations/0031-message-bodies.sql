-- What was said to models and by them, each message once a day however often a chat repeats it; spans name it by its hash.
CREATE TABLE IF NOT EXISTS message_bodies (
  -- SHA-256 of the body, lower-case hex
  hash String CODEC(ZSTD(1)),
  body String CODEC(ZSTD(3)),
  -- when it was said last, of each day
  day Date CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree
PARTITION BY day
ORDER BY hash
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000, merge_selector_base = 12;

-- The messages of spans, in order; NULL where one was erased or is past its time. Ask by TraceId.
CREATE VIEW IF NOT EXISTS span_messages AS
SELECT
  Timestamp, TraceId, SpanId, SpanName, attribute,
  arrayMap(said -> said.2, arraySort(said -> said.1, groupArray((place, if(kept.hash = '', NULL, kept.body))))) AS messages
FROM (
  SELECT Timestamp, TraceId, SpanId, SpanName, attribute, place, hash
  FROM (
    SELECT Timestamp, TraceId, SpanId, SpanName, toString(attribute) AS attribute,
      extractAll(said, 'sha256:([0-9a-f]{64})') AS hashes
    FROM otel_traces
    ARRAY JOIN mapKeys(SpanAttributes) AS attribute, mapValues(SpanAttributes) AS said
    WHERE startsWith(said, 'sha256:') OR startsWith(said, '["sha256:')
  )
  ARRAY JOIN hashes AS hash, arrayEnumerate(hashes) AS place
) AS named
LEFT ANY JOIN message_bodies AS kept ON named.hash = kept.hash
GROUP BY Timestamp, TraceId, SpanId, SpanName, attribute;
