CREATE TABLE IF NOT EXISTS control_event_records_local ON CLUSTER 'fleet' (
  timestamp DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  id UInt64 CODEC(ZSTD(1)),
  event LowCardinality(String),
  actor LowCardinality(String),
  agent_id LowCardinality(String),
  reason String CODEC(ZSTD(1)),
  details String CODEC(ZSTD(3))
) ENGINE = ReplicatedMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (event, timestamp, id)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS control_event_records ON CLUSTER 'fleet' AS control_event_records_local ENGINE = Distributed('fleet', currentDatabase(), 'control_event_records_local', cityHash64(event));

CREATE MATERIALIZED VIEW IF NOT EXISTS control_event_records_mv ON CLUSTER 'fleet' TO control_event_records_local AS
SELECT
  toDateTime64(Timestamp, 3) AS timestamp,
  toUInt64OrZero(LogAttributes['outrider.control.id']) AS id,
  LogAttributes['outrider.control.event'] AS event,
  LogAttributes['outrider.control.actor'] AS actor,
  LogAttributes['outrider.control.agent'] AS agent_id,
  LogAttributes['outrider.control.reason'] AS reason,
  -- a policy's text is kept apart, see policies
  if(event = 'policy_in_force', concat('{', arrayStringConcat(arrayMap(
      pair -> concat(toJSONString(pair.1), ': ', pair.2),
      arrayFilter(pair -> pair.1 != 'sources', JSONExtractKeysAndValuesRaw(LogAttributes['outrider.control.details']))
    ), ', '), '}'), LogAttributes['outrider.control.details']) AS details
FROM otel_logs_local AS otel_logs
WHERE ScopeName = 'outrider.control' AND Sender = 'collector';

CREATE VIEW IF NOT EXISTS control_events ON CLUSTER 'fleet' AS
SELECT timestamp, id, event, actor, agent_id, reason, details
FROM control_event_records
LIMIT 1 BY event, timestamp, id;
