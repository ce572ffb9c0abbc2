// Brings the tables forward at start: every numbered file once, in order, recorded by name. A file that was recorded is
// never read again; statements are written to be harmless when one of them ran and the record was not yet made.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../kit/log.ts';
import { quoted } from './sql-text.ts';

export interface Migrator {
  command(statement: string): Promise<void>;
  query<T>(sql: string): Promise<T[]>;
}

export interface Retention {
  readonly tracesDays: number;
  readonly auditDays: number;
}

/** The law and DESIGN set the floor; a shorter wish is not followed. */
export const AUDIT_DAYS_MIN = 90;

const RECORD = `CREATE TABLE IF NOT EXISTS outrider_migrations (name String, applied_at DateTime64(3) DEFAULT now64(3))
ENGINE = MergeTree ORDER BY name`;

export async function migrate(store: Migrator, log: Log): Promise<void> {
  await store.command(RECORD);
  const rows = await store.query<{ name: string }>('SELECT name FROM outrider_migrations');
  const applied = new Set(rows.map(({ name }) => name));
  for (const { name, statements } of migrations()) {
    if (applied.has(name)) continue;
    for (const statement of statements) await store.command(statement);
    await store.command(`INSERT INTO outrider_migrations (name) VALUES (${quoted(name)})`);
    log.info('migration_applied', { name });
  }
}

const MIGRATIONS = join(import.meta.dirname, 'migrations');

/** Files in order of their numbers, cut into statements at a semicolon that ends a line. */
export function migrations(): { name: string; statements: string[] }[] {
  const files = readdirSync(MIGRATIONS).filter((file) => /^\d{4}-.*\.sql$/.test(file));
  return files.sort().map((name) => ({
    name,
    statements: readFileSync(join(MIGRATIONS, name), 'utf8')
      .split(/;[ \t]*(?:\n|$)/)
      .filter((statement) => statement.replace(/--[^\n]*/g, '').trim() !== ''),
  }));
}

const METRICS_TABLES = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'].map(
  (kind) => `otel_metrics_${kind}`,
);

/** Each table's time of life, by the column that says how old a row is. */
export async function applyRetention(store: Migrator, retention: Retention): Promise<void> {
  const auditDays = Math.max(retention.auditDays, AUDIT_DAYS_MIN);
  const lives: readonly (readonly [table: string, column: string, days: number])[] = [
    ['otel_traces', 'Timestamp', retention.tracesDays],
    ['otel_traces_trace_id_ts', 'Start', retention.tracesDays],
    ['otel_segments', 'FirstReceivedAt', retention.tracesDays],
    ['otel_logs', 'Timestamp', retention.tracesDays],
    ...METRICS_TABLES.map((table) => [table, 'TimeUnix', retention.tracesDays] as const),
    ['actions', 'timestamp', auditDays],
    ['tool_requests', 'timestamp', auditDays],
    ['control_event_records', 'timestamp', auditDays],
    ['calls_1m', 'time', auditDays],
    ['calls_1h', 'time', auditDays],
    ['task_calls', 'last_call', auditDays],
    ['agent_edge_calls', 'last_seen', auditDays],
    ['dead_letter_calls', 'timestamp', retention.tracesDays],
  ];
  const now = await store.query<{ name: string; engine_full: string }>(
    "SELECT name, engine_full FROM system.tables WHERE database = 'default'",
  );
  for (const [table, column, days] of lives) {
    const ttl = `toDateTime(${column}) + toIntervalDay(${days})`;
    if (now.find(({ name }) => name === table)?.engine_full.includes(`TTL ${ttl} `)) continue;
    await store.command(`ALTER TABLE ${table} MODIFY TTL ${ttl} SETTINGS materialize_ttl_after_modify = 0`);
  }
}
