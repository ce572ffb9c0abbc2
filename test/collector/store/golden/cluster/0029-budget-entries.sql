CREATE TABLE IF NOT EXISTS budget_entry_records_local ON CLUSTER 'fleet' (
  at DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  entry_id UInt64 CODEC(Delta(8), ZSTD(1)),
  kind LowCardinality(String),
  lease_id String CODEC(ZSTD(1)),
  agent_id LowCardinality(String),
  agent_instance String CODEC(ZSTD(1)),
  task_id String CODEC(ZSTD(1)),
  unit LowCardinality(String),
  granted Decimal(38, 0) CODEC(ZSTD(1)),
  posted Decimal(38, 0) CODEC(ZSTD(1)),
  why String CODEC(ZSTD(1)),
  -- from the fleet's down to the task's
  accounts Array(Tuple(level LowCardinality(String), name String, window LowCardinality(String))) CODEC(ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, entry_id)
SETTINGS index_granularity = 8192, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2419200, merge_selector_base = 12;

CREATE TABLE IF NOT EXISTS budget_entry_records ON CLUSTER 'fleet' AS budget_entry_records_local ENGINE = Distributed('fleet', currentDatabase(), 'budget_entry_records_local', cityHash64(at));

CREATE MATERIALIZED VIEW IF NOT EXISTS budget_entry_records_mv ON CLUSTER 'fleet' TO budget_entry_records_local AS
SELECT
  fromUnixTimestamp64Milli(toInt64OrZero(LogAttributes['outrider.entry.at']), 'UTC') AS at,
  toUInt64OrZero(LogAttributes['outrider.entry.id']) AS entry_id,
  LogAttributes['outrider.entry.kind'] AS kind,
  LogAttributes['outrider.entry.lease'] AS lease_id,
  LogAttributes['outrider.entry.agent'] AS agent_id,
  LogAttributes['outrider.entry.instance'] AS agent_instance,
  LogAttributes['outrider.entry.task'] AS task_id,
  LogAttributes['outrider.entry.unit'] AS unit,
  toDecimal128OrZero(LogAttributes['outrider.entry.granted'], 0) AS granted,
  toDecimal128OrZero(LogAttributes['outrider.entry.posted'], 0) AS posted,
  LogAttributes['outrider.entry.why'] AS why,
  JSONExtract(LogAttributes['outrider.entry.accounts'], 'Array(Tuple(level String, name String, window String))') AS accounts
FROM otel_logs_local AS otel_logs
WHERE ScopeName = 'outrider.ledger' AND Sender = 'collector';

CREATE VIEW IF NOT EXISTS budget_entries ON CLUSTER 'fleet' AS
SELECT
  at, entry_id, kind,
  account.level AS level,
  account.name AS account,
  account.window AS window,
  agent_id, agent_instance, task_id, lease_id, unit, granted, posted,
  if(unit = 'nanodollars', granted * toDecimal128('0.000000001', 9), NULL) AS granted_usd,
  if(unit = 'nanodollars', posted * toDecimal128('0.000000001', 9), NULL) AS posted_usd,
  why
FROM budget_entry_records FINAL
LEFT ARRAY JOIN accounts AS account;
