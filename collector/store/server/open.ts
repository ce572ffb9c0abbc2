// The store on a ClickHouse server, alone or as one door to a cluster. The tables are brought forward before anything else
// is asked; a server that does not answer yet keeps nobody waiting, for requests queue on our own disk meanwhile.
//
//   load ──▶ left alone? ──▶ tables ready? ──▶ INSERT … FROM input(…) FORMAT Protobuf, the segment's bytes behind it

import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { sentenceOf } from '../../../kit/log.ts';
import { clusterLayout } from '../cluster.ts';
import { type Connection, connectionOf } from '../connection.ts';
import { isStandingFault, QueryFailed, StoreRefuses, StoreUnavailable } from '../failures.ts';
import { ALONE, type Layout } from '../layout.ts';
import { loadSegment, takeBackSegment } from '../load.ts';
import { migrate } from '../migrate.ts';
import type { ServerStoreOptions, Store } from '../store.ts';
import { refuseUnfit } from './fitness.ts';
import { createHealth } from './health.ts';
import { createInserts } from './insert.ts';
import { type Place, readPlace } from './place.ts';
import { settingsFor } from './settings.ts';

const REQUEST_MS_MAX = 320_000;

/** Throws an Error with one sentence when the server answers and cannot be used. */
export async function openServerStore(options: ServerStoreOptions): Promise<Store> {
  const { cluster, clock, log } = options;
  const place = readPlace(options.url);
  const layout = cluster === null ? ALONE : clusterLayout(cluster);
  const settings = settingsFor(cluster);
  const connection = connect(place, settings);
  const inserts = createInserts(place, settings);
  const health = createHealth(place.name, { clock, log });
  const ready = once(() => bringForward(connection, layout, options));
  const close = async () => {
    await inserts.close();
    await connection.close();
  };

  try {
    await health.noting(ready);
  } catch (failure) {
    if (!(failure instanceof StoreUnavailable)) {
      await close();
      throw new Error(
        `The ClickHouse of store.clickhouse (${place.name}) can't be used: ${sentenceOf(failure).replace(/[\s.]+$/, '')}.`,
      );
    }
  }

  return {
    sqlUrl: null,
    server: place.name,
    layout,
    load: (segment) =>
      health.pacing(async () => {
        await ready().catch(asLoadFailure);
        const insert = (statement: string) => inserts.insert(statement, segment.path);
        return loadSegment({ ...connection, insert, source: { from: 'body' }, layout }, segment);
      }),
    takeBack: (segment) =>
      health.noting(() => takeBackSegment({ ...connection, source: { from: 'body' }, layout }, segment)),
    query: (sql, parameters) =>
      health.noting(async () => {
        await ready();
        return connection.query(sql, parameters);
      }),
    command: (statement) =>
      health.noting(async () => {
        await ready();
        return connection.command(statement);
      }),
    isOpen: health.isOpen,
    memoryBytes: () => Promise.resolve(0),
    close,
  };
}

function connect(place: Place, settings: Readonly<Record<string, string>>): Connection {
  const client = createClient({
    url: place.origin,
    username: place.user,
    password: place.password,
    database: place.database,
    application: 'outrider',
    clickhouse_settings: settings,
    request_timeout: REQUEST_MS_MAX,
    log: { level: ClickHouseLogLevel.OFF },
  });
  return connectionOf(
    () => Promise.resolve(client),
    () => client.close(),
  );
}

async function bringForward(
  connection: Connection,
  layout: Layout,
  { asFound, alone, log }: ServerStoreOptions,
): Promise<void> {
  await refuseUnfit(connection);
  if (!asFound) await alone(() => migrate(connection, layout, log));
}

/** Runs `act` until it succeeded, one at a time for all who wait. */
function once(act: () => Promise<void>): () => Promise<void> {
  let done = false;
  let running: Promise<void> | null = null;
  return async () => {
    if (done) return;
    running ??= act()
      .then(() => {
        done = true;
      })
      .finally(() => {
        running = null;
      });
    await running;
  };
}

function asLoadFailure(failure: unknown): never {
  if (failure instanceof QueryFailed && isStandingFault(failure.code))
    throw new StoreRefuses(failure.code, failure.message);
  if (failure instanceof StoreUnavailable) throw failure;
  throw new StoreUnavailable(sentenceOf(failure), { cause: failure });
}
