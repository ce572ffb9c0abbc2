-- The messages of spans, in order; NULL where one was erased or is past its time. Ask by TraceId. Only the bodies that those spans
-- name are looked up, by their hashes. On a cluster, where no key reaches through what forwards, all bodies go past the few that
-- are asked for, and none but those is held (cluster.ts).
CREATE OR REPLACE VIEW span_messages AS
WITH named AS (
  SELECT Timestamp, TraceId, SpanId, SpanName, attribute, place, hash
  FROM (
    SELECT Timestamp, TraceId, SpanId, SpanName, toString(attribute) AS attribute,
      extractAll(said, 'sha256:([0-9a-f]{64})') AS hashes
    FROM otel_traces
    ARRAY JOIN mapKeys(SpanAttributes) AS attribute, mapValues(SpanAttributes) AS said
    WHERE startsWith(said, 'sha256:') OR startsWith(said, '["sha256:')
  )
  ARRAY JOIN hashes AS hash, arrayEnumerate(hashes) AS place
)
SELECT
  Timestamp, TraceId, SpanId, SpanName, attribute,
  -- kept once a day, a body may be found more than once
  arrayMap(said -> said.2, arraySort(said -> said.1, groupUniqArray((place, if(kept.hash = '', NULL, kept.body))))) AS messages
FROM named LEFT JOIN message_bodies AS kept ON named.hash = kept.hash
GROUP BY Timestamp, TraceId, SpanId, SpanName, attribute
SETTINGS join_algorithm = 'direct', query_plan_join_swap_table = 'false';
