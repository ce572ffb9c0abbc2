// The two places that outlive the collector: the control database (who may spend what) and the store (what was done).

import type { Clock } from '../kit/clock.ts';
import { openDataDirectory } from '../kit/data-directory.ts';
import type { Lifecycle } from '../kit/lifecycle.ts';
import { portTaken } from '../kit/listen.ts';
import type { Log } from '../kit/log.ts';
import type { Secrets } from '../kit/secrets.ts';
import type { CollectorConfig, Places } from './config.ts';
import { type Database, openDatabase } from './control/database.ts';
import { createSumsInDoubt, type SumsInDoubt } from './control/sums-in-doubt.ts';
import { whileOpening } from './store/opening.ts';
import { openStore, openStoreOnServer, type Store } from './store/store.ts';

export interface Stores {
  readonly database: Database;
  readonly store: Store;
  readonly sumsInDoubt: SumsInDoubt;
  /** Resolves once the store stands; rejects with why it can't. Whoever asks it before waits. */
  readonly storeOpened: Promise<void>;
  isStoreOpening(): boolean;
}

type StoreParts = Pick<Stores, 'store' | 'storeOpened' | 'isStoreOpening'>;

export interface StoresOptions {
  readonly places: Places;
  readonly settings: CollectorConfig;
  readonly lifecycle: Lifecycle;
  readonly secrets: Secrets;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Locks the data directory, then opens both side by side, for each takes a while; if one fails the other is still closed. An
 * embedded store goes on opening. Throws DataDirectoryTaken; `storeOpened` rejects with PortUnavailable.
 */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const { places, lifecycle } = options;
  const directory = openDataDirectory(places.own);
  lifecycle.onStop('data directory', () => directory.release());
  const opening = openControlDatabase(options);
  const [database, store] = await Promise.allSettled([opening, openTelemetryStore(options, opening)]);
  if (database.status === 'fulfilled') lifecycle.onStop('control database', () => database.value.close());
  if (store.status === 'fulfilled') lifecycle.onStop('store', () => store.value.store.close());
  if (database.status === 'rejected') throw database.reason;
  if (store.status === 'rejected') throw store.reason;
  const sumsInDoubt = createSumsInDoubt(database.value, options.clock);
  return { database: database.value, sumsInDoubt, ...store.value };
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
async function openTelemetryStore(options: StoresOptions, opening: Promise<Database>): Promise<StoreParts> {
  const { settings, secrets, log, clock } = options;
  const { clickhouse, cluster, messages } = settings;
  if (clickhouse === 'embedded') return openEmbedded(options);
  const url = typeof clickhouse === 'string' ? clickhouse : await secrets.read(clickhouse);
  const database = await opening;
  const alone = <T>(act: () => Promise<T>) => database.alone(act);
  const { note: doubted } = createSumsInDoubt(database, clock);
  const store = await openStoreOnServer({ url, cluster, messages, alone, doubted, log, clock });
  return { store, storeOpened: Promise.resolve(), isStoreOpening: () => false };
}

function openEmbedded({ places, settings, log, clock }: StoresOptions): StoreParts {
  const { listen, messages } = settings;
  let isOpening = true;
  const opening = openStore({ dataDirectory: places.store, sqlListen: listen.sql, messages, log, clock });
  const storeOpened = opening.then(
    () => {
      isOpening = false;
    },
    (failure: unknown) => {
      throw orPortTaken(failure, listen.sql, 'listen.sql');
    },
  );
  storeOpened.catch(() => undefined); // the start hears of it, unless it ends before
  return { store: whileOpening(opening), storeOpened, isStoreOpening: () => isOpening };
}

/** What a start throws instead of a failure to listen: one sentence with the key to change. */
export function orPortTaken(failure: unknown, address: string, key: string): unknown {
  const taken = failure instanceof Error && 'code' in failure && failure.code === 'EADDRINUSE';
  return taken ? portTaken(address, key) : failure;
}

/** Parts of this collector that are not there now, as `/readyz` and alerts name them. */
export function missingParts({ database, store, isStoreOpening }: Stores): readonly string[] {
  const withoutStore = isStoreOpening() ? 'store: opening' : 'store';
  return [database.isOpen() ? '' : 'control database', store.isOpen() ? '' : withoutStore].filter(
    (part) => part !== '',
  );
}
