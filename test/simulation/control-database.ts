// One Postgres in this process for every seed: the production migrations, run once. Each run names its fleet anew, so
// that none meets another's accounts; now and then the tables are emptied, for they only grow.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Database } from '../../collector/control/database.ts';
import { DatabaseFailed } from '../../collector/control/failures.ts';
import { copyPostgres } from '../support/empty-stores.ts';
import { temporaryDirectory } from '../support/processes.ts';

export interface ControlDatabase {
  readonly database: Database;
  /** A number no run of this database had before. */
  nextRun(): Promise<number>;
  /** Forgets all runs. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

const MIGRATIONS = join(import.meta.dirname, '../../collector/control/migrations');
/** The first four as the collector's own worker sets them (collector/control/pglite-worker.ts); the rest spare what a database that is thrown away need not survive. */
const SETTINGS = [
  'shared_buffers=8MB',
  'jit=off',
  'enable_seqscan=off',
  'plan_cache_mode=force_generic_plan',
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
];
const EMPTY_EVERY = 15;
const MEMORY_BYTES = 128 * 1024 * 1024;

export async function openControlDatabase(): Promise<ControlDatabase> {
  const pglite = await openMigrated();
  let runs = 0;

  const query = async (sql: string, parameters: readonly unknown[] = []) => {
    try {
      return (await pglite.query(sql, [...parameters])).rows;
    } catch (failure) {
      const { message, code } = failure as Error & { code?: unknown };
      throw new DatabaseFailed(message, typeof code === 'string' ? code : '');
    }
  };

  return {
    database: {
      query: query as Database['query'],
      copy: () => Promise.reject(new Error('the simulated control database is not copied')),
      server: null,
      others: () => Promise.resolve(0),
      alone: (act) => act(),
      isOpen: () => true,
      pending: () => 0,
      close: () => pglite.close(),
    },
    async nextRun() {
      if (runs % EMPTY_EVERY === EMPTY_EVERY - 1) await empty(pglite);
      return ++runs;
    },
    empty: () => empty(pglite),
    close: () => pglite.close(),
  };
}

/** A copy of the one that a run of the tests made for all; in memory and made now where there is none. */
async function openMigrated(): Promise<PGlite> {
  const startParams = [...PGlite.defaultStartParams, ...SETTINGS.flatMap((setting) => ['-c', setting])];
  const options = { startParams, initialMemory: MEMORY_BYTES };
  const directory = join(temporaryDirectory('outrider-simulated'), 'control');
  copyPostgres(directory);
  if (existsSync(directory)) return PGlite.create(directory, options);
  const pglite = await PGlite.create(options);
  for (const name of readdirSync(MIGRATIONS).sort())
    if (name.endsWith('.sql')) await pglite.exec(readFileSync(join(MIGRATIONS, name), 'utf8'));
  return pglite;
}

async function empty(pglite: PGlite): Promise<void> {
  await pglite.exec(`set session_replication_role = replica;
    truncate accounts, leases, slices, entries, tasks, instances, control_events restart identity cascade;
    set session_replication_role = origin`);
}
