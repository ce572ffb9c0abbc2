CREATE TABLE IF NOT EXISTS message_bodies_local ON CLUSTER 'fleet' (
  -- SHA-256 of the body, lower-case hex
  hash String CODEC(ZSTD(1)),
  body String CODEC(ZSTD(3)),
  -- when it was said last, of each day
  day Date CODEC(ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree
PARTITION BY day
ORDER BY hash
SETTINGS index_granularity = 1024, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS message_bodies ON CLUSTER 'fleet' AS message_bodies_local ENGINE = Distributed('fleet', currentDatabase(), 'message_bodies_local', cityHash64(hash));

CREATE VIEW IF NOT EXISTS span_messages ON CLUSTER 'fleet' AS
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
