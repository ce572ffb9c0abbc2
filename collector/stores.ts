// The two places that outlive the collector: the control database (who may spend what) and the store (what was done).

import type { Clock } from '../kit/clock.ts';
import { openDataDirectory } from '../kit/data-directory.ts';
import type { Lifecycle } from '../kit/lifecycle.ts';
import { portTaken } from '../kit/listen.ts';
import type { Log } from '../kit/log.ts';
import type { Secrets } from '../kit/secrets.ts';
import type { CollectorConfig, Places } from './config.ts';
import { type Database, openDatabase } from './control/database.ts';
import { openStore, openStoreOnServer, type Store } from './store/store.ts';

export interface Stores {
  readonly database: Database;
  readonly store: Store;
}

export interface StoresOptions {
  readonly places: Places;
  readonly settings: CollectorConfig;
  readonly lifecycle: Lifecycle;
  readonly secrets: Secrets;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Locks the data directory, then opens both side by side, for each takes a while; if one fails the other is still closed.
 * Throws DataDirectoryTaken or PortUnavailable.
 */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const { places, lifecycle } = options;
  const directory = openDataDirectory(places.own);
  lifecycle.onStop('data directory', () => directory.release());
  const opening = openControlDatabase(options);
  const [database, store] = await Promise.allSettled([opening, openTelemetryStore(options, opening)]);
  if (database.status === 'fulfilled') lifecycle.onStop('control database', () => database.value.close());
  if (store.status === 'fulfilled') lifecycle.onStop('store', () => store.value.close());
  if (database.status === 'rejected') throw database.reason;
  if (store.status === 'rejected') throw store.reason;
  return { database: database.value, store: store.value };
}

/** Embedded, or on the server that `store.postgres` names; its driver is loaded only then. */
async function openControlDatabase({
  places,
  settings,
  secrets,
  log,
  clock,
}: StoresOptions): Promise<Database> {
  const { postgres } = settings;
  if (postgres === 'embedded') return openDatabase({ directory: places.control, log, clock });
  const url = typeof postgres === 'string' ? postgres : await secrets.read(postgres);
  const { openPostgres } = await import('./control/postgres.ts');
  return openPostgres({ url, log, clock });
}

/** Embedded, or on the server that `store.clickhouse` names; there collectors take turns by way of the control database. */
async function openTelemetryStore(options: StoresOptions, opening: Promise<Database>): Promise<Store> {
  const { settings, secrets, log, clock } = options;
  const { clickhouse, cluster, messages } = settings;
  if (clickhouse === 'embedded') return openEmbedded(options);
  const url = typeof clickhouse === 'string' ? clickhouse : await secrets.read(clickhouse);
  const database = await opening;
  const alone = <T>(act: () => Promise<T>) => database.alone(act);
  return openStoreOnServer({ url, cluster, messages, alone, log, clock });
}

async function openEmbedded({ places, settings, log, clock }: StoresOptions): Promise<Store> {
  const { listen, messages } = settings;
  try {
    return await openStore({ dataDirectory: places.store, sqlListen: listen.sql, messages, log, clock });
  } catch (failure) {
    throw orPortTaken(failure, listen.sql, 'listen.sql');
  }
}

/** What a start throws instead of a failure to listen: one sentence with the key to change. */
export function orPortTaken(failure: unknown, address: string, key: string): unknown {
  const taken = failure instanceof Error && 'code' in failure && failure.code === 'EADDRINUSE';
  return taken ? portTaken(address, key) : failure;
}

/** Parts of this collector that are not there now, as `/readyz` and alerts name them. */
export function missingParts({ database, store }: Stores): readonly string[] {
  return [database.isOpen() ? '' : 'control database', store.isOpen() ? '' : 'store'].filter(
    (part) => part !== '',
  );
}
