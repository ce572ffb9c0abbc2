-- Who changed what in the fleet's control state, and why: kept as long as actions, though it comes as log records.
CREATE TABLE IF NOT EXISTS control_event_records (
  timestamp DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  id UInt64 CODEC(ZSTD(1)),
  event LowCardinality(String),
  actor LowCardinality(String),
  agent_id LowCardinality(String),
  reason String CODEC(ZSTD(1)),
  details String CODEC(ZSTD(3))
) ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (event, timestamp, id)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, merge_selector_base = 12;

-- The collector alone is believed: whoever else names this scope has only written a log record.
CREATE MATERIALIZED VIEW IF NOT EXISTS control_event_records_mv TO control_event_records AS
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
FROM otel_logs
WHERE ScopeName = 'outrider.control' AND Sender = 'collector';

-- Told twice, days apart, is still one event.
CREATE VIEW IF NOT EXISTS control_events AS
SELECT timestamp, id, event, actor, agent_id, reason, details
FROM control_event_records
LIMIT 1 BY event, timestamp, id;
