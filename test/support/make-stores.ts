// `node make-stores.ts DIRECTORY`: a data directory as the collector's first start makes it, before anything is told to it.

import { mkdirSync } from 'node:fs';
import { placesIn } from '../../collector/config.ts';
import { openDatabase } from '../../collector/control/database.ts';
import { openStore } from '../../collector/store/store.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('Say where: node make-stores.ts DIRECTORY');
const places = placesIn(directory);
mkdirSync(places.own, { recursive: true, mode: 0o700 });
await Promise.all([makeControl(), makeStore()]);

async function makeControl(): Promise<void> {
  const database = await openDatabase({ directory: places.control, log: silentLog });
  await database.close();
}

async function makeStore(): Promise<void> {
  const store = await openStore({
    dataDirectory: places.store,
    sqlListen: '127.0.0.1:0',
    log: silentLog,
    clock: systemClock,
  });
  await store.close();
}
