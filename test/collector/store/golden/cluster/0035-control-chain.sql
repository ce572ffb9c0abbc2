ALTER TABLE control_event_records_local ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS audit_stream LowCardinality(String), ADD COLUMN IF NOT EXISTS audit_seq UInt64 CODEC(Delta(8), ZSTD(1)), ADD COLUMN IF NOT EXISTS audit_hash String CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS audit_entry String CODEC(ZSTD(3));

ALTER TABLE control_event_records ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS audit_stream LowCardinality(String), ADD COLUMN IF NOT EXISTS audit_seq UInt64, ADD COLUMN IF NOT EXISTS audit_hash String, ADD COLUMN IF NOT EXISTS audit_entry String;

ALTER TABLE control_event_records_mv ON CLUSTER 'fleet' MODIFY QUERY
SELECT
  toDateTime64(Timestamp, 3) AS timestamp,
  toUInt64OrZero(LogAttributes['outrider.control.id']) AS id,
  LogAttributes['outrider.control.event'] AS event,
  LogAttributes['outrider.control.actor'] AS actor,
  LogAttributes['outrider.control.agent'] AS agent_id,
  LogAttributes['outrider.control.reason'] AS reason,
  -- a policy's text is kept apart, see policies; the entry holds its digest
  if(event = 'policy_in_force', concat('{', arrayStringConcat(arrayMap(
      pair -> concat(toJSONString(pair.1), ': ', pair.2),
      arrayFilter(pair -> pair.1 != 'sources', JSONExtractKeysAndValuesRaw(LogAttributes['outrider.control.details']))
    ), ', '), '}'), LogAttributes['outrider.control.details']) AS details,
  LogAttributes['outrider.audit.stream'] AS audit_stream,
  toUInt64OrZero(LogAttributes['outrider.audit.seq']) AS audit_seq,
  LogAttributes['outrider.audit.hash'] AS audit_hash,
  LogAttributes['outrider.audit.entry'] AS audit_entry
FROM otel_logs_local AS otel_logs
WHERE ScopeName = 'outrider.control' AND Sender = 'collector';

CREATE OR REPLACE VIEW control_events ON CLUSTER 'fleet' AS
SELECT timestamp, id, event, actor, agent_id, reason, details, audit_stream, audit_seq, audit_hash, audit_entry
FROM control_event_records
LIMIT 1 BY event, timestamp, id;
