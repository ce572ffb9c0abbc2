-- Every move of the ledger: what was granted, posted, given back, written off and corrected, in which accounts, and why.
CREATE TABLE IF NOT EXISTS budget_entry_records (
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
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, entry_id)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 10000, merge_selector_base = 12;

-- The collector alone is believed: whoever else names this scope has only written a log record.
CREATE MATERIALIZED VIEW IF NOT EXISTS budget_entry_records_mv TO budget_entry_records AS
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
FROM otel_logs
WHERE ScopeName = 'outrider.ledger' AND Sender = 'collector';

-- One row per entry and account that it moved; an entry that moved none has one row without an account.
CREATE VIEW IF NOT EXISTS budget_entries AS
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
