// A collector's data directory, opened without its doors: for what must also work while no collector runs.

import { existsSync } from 'node:fs';
import { type Backups, createBackups } from '../collector/backup.ts';
import { placesIn } from '../collector/config.ts';
import { openDatabase } from '../collector/control/database.ts';
import { openAudit } from '../collector/open-audit.ts';
import { startPipeline } from '../collector/pipeline.ts';
import { openStore } from '../collector/store/store.ts';
import { systemClock } from '../kit/clock.ts';
import { DataDirectoryTaken, openDataDirectory } from '../kit/data-directory.ts';
import { createLifecycle } from '../kit/lifecycle.ts';
import type { Log } from '../kit/log.ts';

const STOP_MS = 15_000;
/** Of the log's hourly checkpoints, which only a collector that knows its config drops. */
const KEEP_DAYS = 36_500;

/** What `use` answers; undefined when a collector runs on the directory, or none ever has. */
export async function withStoppedCollector<T>(
  dataDirectory: string,
  log: Log,
  use: (backups: Backups) => Promise<T>,
): Promise<T | undefined> {
  const places = placesIn(dataDirectory);
  if (!existsSync(places.control)) return undefined;
  const lifecycle = createLifecycle(log);
  try {
    const directory = lockOf(places.own);
    if (!directory) return undefined;
    lifecycle.onStop('data directory', () => directory.release());
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
    const { audit } = await openAudit({
      places,
      key: null,
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
      audit,
      authenticate: () => null,
      log,
      clock,
    });
    lifecycle.onStop('pipeline', () => pipeline.close());
    return await use(createBackups({ pipeline, database, store, places, clock, log }));
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
