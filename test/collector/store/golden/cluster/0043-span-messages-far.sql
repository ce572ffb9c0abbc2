CREATE OR REPLACE VIEW span_messages ON CLUSTER 'fleet' AS
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
FROM message_bodies AS kept RIGHT JOIN named ON named.hash = kept.hash
GROUP BY Timestamp, TraceId, SpanId, SpanName, attribute
SETTINGS join_algorithm = 'hash', query_plan_join_swap_table = 'false';
