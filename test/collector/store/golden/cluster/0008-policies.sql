CREATE TABLE IF NOT EXISTS policy_records_local ON CLUSTER 'fleet' (
  timestamp DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  id UInt64 CODEC(ZSTD(1)),
  digest String CODEC(ZSTD(1)),
  agent_id LowCardinality(String),
  agent_instance String CODEC(ZSTD(1)),
  in_force_from DateTime64(3) CODEC(ZSTD(1)),
  actor LowCardinality(String),
  fleet_id LowCardinality(String),
  -- [{file, text}] in the first record that names the digest, else empty: what the digest is computed over
  sources String CODEC(ZSTD(3))
) ENGINE = ReplicatedMergeTree
ORDER BY (digest, timestamp, id)
SETTINGS index_granularity = 8192, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS policy_records ON CLUSTER 'fleet' AS policy_records_local ENGINE = Distributed('fleet', currentDatabase(), 'policy_records_local', cityHash64(digest));

CREATE MATERIALIZED VIEW IF NOT EXISTS policy_records_mv ON CLUSTER 'fleet' TO policy_records_local AS
WITH LogAttributes['outrider.control.details'] AS details
SELECT
  toDateTime64(Timestamp, 3) AS timestamp,
  toUInt64OrZero(LogAttributes['outrider.control.id']) AS id,
  JSONExtractString(details, 'digest') AS digest,
  LogAttributes['outrider.control.agent'] AS agent_id,
  JSONExtractString(details, 'instance') AS agent_instance,
  fromUnixTimestamp64Milli(JSONExtractInt(details, 'loaded_at'), 'UTC') AS in_force_from,
  LogAttributes['outrider.control.actor'] AS actor,
  JSONExtractString(details, 'fleet') AS fleet_id,
  if(JSONHas(details, 'sources'), JSONExtractRaw(details, 'sources'), '') AS sources
FROM otel_logs_local AS otel_logs
WHERE ScopeName = 'outrider.control' AND Sender = 'collector' AND LogAttributes['outrider.control.event'] = 'policy_in_force';

CREATE VIEW IF NOT EXISTS policies ON CLUSTER 'fleet' AS
WITH JSONExtract(texts.sources, 'Array(Tuple(file String, text String))') AS files
SELECT
  digest,
  agent_id,
  agent_instance,
  in_force_from,
  actor,
  if(length(files) = 1, files[1].text, arrayStringConcat(arrayMap(file -> concat('# file: ', file.file, '\n', file.text), files), '\n')) AS text,
  fleet_id
FROM (SELECT * FROM policy_records LIMIT 1 BY timestamp, id) AS loaded
LEFT JOIN (SELECT digest, max(policy_records.sources) AS sources FROM policy_records GROUP BY digest) AS texts USING (digest);
