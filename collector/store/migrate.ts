// Brings the tables forward at start: every numbered file once, in order, recorded by name. A file that was recorded is
// never read again; statements are written to be harmless when one of them ran and the record was not yet made.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../kit/log.ts';
import type { Layout } from './layout.ts';
import { quoted } from './sql-text.ts';

export interface Migrator {
  command(statement: string): Promise<void>;
  query<T>(sql: string): Promise<T[]>;
}

/** Which of them are applied. */
export const RECORD = `CREATE TABLE IF NOT EXISTS outrider_migrations (name String, applied_at DateTime64(3) DEFAULT now64(3))
ENGINE = MergeTree ORDER BY name`;

/** Notes that a file was applied. */
export const recorded = (name: string): string =>
  `INSERT INTO outrider_migrations (name) VALUES (${quoted(name)})`;

export async function migrate(store: Migrator, layout: Layout, log: Log): Promise<void> {
  const apply = async (migration: string) => {
    for (const statement of applied(migration, layout)) await store.command(statement);
  };
  await apply(RECORD);
  const rows = await store.query<{ name: string }>('SELECT name FROM outrider_migrations');
  const done = new Set(rows.map(({ name }) => name));
  for (const { name, statements } of migrations()) {
    if (done.has(name)) continue;
    for (const statement of statements) await apply(statement);
    await store.command(recorded(name));
    log.info('migration_applied', { name });
  }
}

const ALTERED_VIEW = /^(?:\s+|--[^\n]*\n)*ALTER TABLE (\w+)\s+MODIFY QUERY\b/;

/**
 * What does there what this statement of a migration does on one server. A view whose query was altered marks its blocks in
 * another way until the server's next start (seen with ClickHouse 26.7), and a load replayed across that start would add them
 * twice: another name and its own again make it mark them as it will then.
 */
export function applied(migration: string, layout: Layout): readonly string[] {
  const statements = layout.statements(migration);
  const view = ALTERED_VIEW.exec(migration)?.[1];
  if (view === undefined) return statements;
  const renamed = (names: string) => `RENAME TABLE ${names} ${layout.everywhere}`.trimEnd();
  const other = `${view}_altered`;
  // Whoever was killed between the names left it under the other.
  return [
    renamed(`IF EXISTS ${other} TO ${view}`),
    ...statements,
    renamed(`${view} TO ${other}`),
    renamed(`${other} TO ${view}`),
  ];
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

/**
 * Tables of earlier releases dropped rows by themselves, a changed time of life did not reach what was there already, and
 * nothing could hold them back: what is dropped is now decided in one place (retention.ts).
 */
export async function takeTimesOfLifeAway(store: Migrator): Promise<void> {
  const tables = await store.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine_full LIKE '% TTL %'",
  );
  for (const { name } of tables) await store.command(`ALTER TABLE ${name} REMOVE TTL`);
}
