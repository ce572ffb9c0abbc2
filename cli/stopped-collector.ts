// A collector's data directory, opened without its doors: for what must also work while no collector runs.

import { existsSync } from 'node:fs';
import { type Places, placesIn } from '../collector/config.ts';
import { type Database, openDatabase } from '../collector/control/database.ts';
import { rememberedKey } from '../collector/edges/audit-keys.ts';
import { type Audit, openAudit } from '../collector/open-audit.ts';
import { type Pipeline, startPipeline } from '../collector/pipeline.ts';
import { openStore, type Store } from '../collector/store/store.ts';
import { type Clock, systemClock } from '../kit/clock.ts';
import { DataDirectoryTaken, openDataDirectory } from '../kit/data-directory.ts';
import { createLifecycle } from '../kit/lifecycle.ts';
import type { Log } from '../kit/log.ts';

const STOP_MS = 15_000;
/** Of the log's hourly checkpoints, which only a collector that knows its config drops. */
const KEEP_DAYS = 36_500;

export interface StoppedCollector extends Audit {
  readonly pipeline: Pipeline;
  readonly database: Database;
  readonly store: Store;
  readonly places: Places;
  readonly clock: Clock;
  readonly log: Log;
}

/** What `use` answers; undefined when a collector runs on the directory, or none ever has. */
export async function withStoppedCollector<T>(
  dataDirectory: string,
  log: Log,
  use: (stopped: StoppedCollector) => Promise<T>,
): Promise<T | undefined> {
  const places = placesIn(dataDirectory);
  if (!existsSync(places.control)) return undefined;
  const lifecycle = createLifecycle(log);
  try {
    const directory = lockOf(places.own);
    if (!directory) return undefined;
    lifecycle.onStop('data directory', () => directory.release());
    if (!existsSync(places.store))
      throw new Error(
        'The tables of this collector are on a server, which it alone knows: start it, then ask for the backup.',
      );
    const clock = systemClock;
    const database = await openDatabase({ directory: places.control, log, clock });
    lifecycle.onStop('control database', () => database.close());
    const store = await openStore({
      dataDirectory: places.store,
      sqlListen: '127.0.0.1:0',
      asFound: true,
      log,
      clock,
    });
    lifecycle.onStop('store', () => store.close());
    // What was accepted last may have no place in the log yet, and goes no further without one.
    const audit = await openAudit({
      places,
      key: await rememberedKey(places.audit),
      anchors: [],
      fleet: '',
      days: KEEP_DAYS,
      database,
      lifecycle,
      clock,
      log,
    });
    const pipeline = await startPipeline({
      listen: '127.0.0.1:0',
      directory: places.queue,
      store,
      audit: audit.audit,
      authenticate: () => null,
      log,
      clock,
    });
    lifecycle.onStop('pipeline', () => pipeline.close());
    return await use({ ...audit, pipeline, database, store, places, clock, log });
  } finally {
    await lifecycle.stop(STOP_MS);
  }
}

function lockOf(own: string) {
  try {
    return openDataDirectory(own);
  } catch (failure) {
    if (failure instanceof DataDirectoryTaken) return undefined;
    throw failure;
  }
}
