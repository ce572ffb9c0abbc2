// Where control state lives: Postgres, embedded as PGlite. Everything above speaks SQL through this one interface, so a
// Postgres server (postgres.ts) stands behind it as well. A database whose thread dies is opened again; it forgets nothing.

import { dirname } from 'node:path';
import { type Clock, systemClock } from '../../kit/clock.ts';
import { makeFoldersSync } from '../../kit/folders.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { DatabaseUnavailable } from './failures.ts';
import { hasRoom, type Lane } from './lanes.ts';
import { type Migrated, migrate } from './migrations.ts';
import { openPglite, type PgliteThread, type Row } from './pglite.ts';

export interface Database {
  /**
   * Runs one statement, parameters as `$1…`, as a transaction of its own, ahead of what waits in a lane below.
   * Throws DatabaseUnavailable (try again; it may have happened) or DatabaseFailed (nothing happened).
   */
  query<T extends Row = Row>(
    sql: string,
    parameters?: readonly unknown[],
    lane?: Lane,
  ): Promise<readonly T[]>;
  /**
   * Copies the database's folder to one that is not there yet, and answers `sql`, both as of one moment between
   * statements. Throws as `query` does; on a server there is no folder, and the error says what to do instead.
   */
  copy<T extends Row = Row>(to: string, sql: string): Promise<readonly T[]>;
  /** `host:port/database` of the server it is on, where other collectors may be on it too; null when it is embedded. */
  readonly server: string | null;
  /** How many other collectors are connected to it now, as far as the server lets us see them. Throws as `query` does. */
  others(): Promise<number>;
  /** Runs `act` while no other collector on this database runs one. */
  alone<T>(act: () => Promise<T>): Promise<T>;
  /** False while it is being opened again. */
  isOpen(): boolean;
  /** Statements waiting. */
  pending(): number;
  close(): Promise<void>;
}

const REOPEN_MS = 500;
const TIDY_EVERY_MS = 6 * 3_600_000;

/** Opens the embedded database in `directory`, at its newest form. */
export async function openDatabase(options: {
  directory: string;
  log: Log;
  clock?: Clock;
}): Promise<Database> {
  const { directory, log, clock = systemClock } = options;
  makeFoldersSync(dirname(directory), 0o700);
  let thread: PgliteThread | undefined = await openPglite(directory);
  let closing = false;

  async function keepOpen(current: PgliteThread): Promise<void> {
    await current.ended;
    thread = undefined;
    while (!closing && !thread) {
      log.error('control_database_lost', { next: 'it is opened again' });
      thread = await openPglite(directory).catch((failure: unknown) => {
        log.error('control_database_away', { reason: sentenceOf(failure) });
        return undefined;
      });
      if (!thread) await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    }
    if (thread) return keepOpen(thread);
  }

  try {
    await migrate(migratedBy(thread), log);
  } catch (failure) {
    await thread.terminate();
    throw failure;
  }
  const kept = keepOpen(thread);
  let cancelTidying = clock.after(TIDY_EVERY_MS, tidy);

  /** Postgres' own autovacuum does not run in one process: dead rows, and in time transaction numbers, would run out. */
  function tidy(): void {
    cancelTidying = clock.after(TIDY_EVERY_MS, tidy);
    thread?.ask('query', 'vacuum', []).catch((failure: unknown) => {
      log.warn('control_database_untidy', { reason: sentenceOf(failure) });
    });
  }

  return {
    async query<T extends Row>(sql: string, parameters: readonly unknown[] = [], lane: Lane = 'rest') {
      if (!thread) throw new DatabaseUnavailable('The control database is being opened again.');
      if (!hasRoom(lane, thread.pending()))
        throw new DatabaseUnavailable('Too much waits for the control database.');
      return (await thread.ask('query', sql, parameters, lane)) as readonly T[];
    },
    async copy<T extends Row>(to: string, sql: string) {
      if (!thread) throw new DatabaseUnavailable('The control database is being opened again.');
      return (await thread.ask('copy', sql, [to])) as readonly T[];
    },
    // Its directory is locked: there is no other.
    server: null,
    others: () => Promise.resolve(0),
    alone: (act) => act(),
    isOpen: () => thread !== undefined,
    pending: () => thread?.pending() ?? 0,
    async close() {
      closing = true;
      cancelTidying();
      await thread?.ask('close', '', []);
      await thread?.terminate();
      await kept;
    },
  };
}

const migratedBy = (thread: PgliteThread): Migrated => ({
  script: async (sql) => void (await thread.ask('script', sql, [])),
  done: async () =>
    (await thread.ask('query', 'select name from migrations', [])).map(({ name }) => String(name)),
});
