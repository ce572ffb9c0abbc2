// The store on a ClickHouse server, alone or as one door to a cluster. The tables are brought forward before anything else
// is asked; a server that does not answer yet keeps nobody waiting, for requests queue on our own disk meanwhile.
//
//   load ──▶ left alone? ──▶ tables ready? ──▶ INSERT … FROM input(…) FORMAT Protobuf, the segment's bytes behind it

import { sentenceOf } from '../../../kit/log.ts';
import { isStandingFault, QueryFailed, StoreRefuses, StoreUnavailable } from '../failures.ts';
import { type LoadingPorts, loadSegment, takeBackSegment } from '../load.ts';
import { migrate } from '../migrate.ts';
import { hasBodies } from '../segment-bytes.ts';
import type { ServerStoreOptions, Store } from '../store.ts';
import { createDoubts } from './doubts.ts';
import { refuseUnfit } from './fitness.ts';
import { createHealth } from './health.ts';
import { reachServer, type Server } from './reach.ts';

/** Throws an Error with one sentence when the server answers and cannot be used. */
export async function openServerStore(options: ServerStoreOptions): Promise<Store> {
  const server = reachServer(options);
  const { place, layout, connection } = server;
  const health = createHealth(place.name, options);
  const doubts = createDoubts(options);
  const ready = once(() => bringForward(server, options));

  try {
    await health.noting(ready);
  } catch (failure) {
    if (!(failure instanceof StoreUnavailable)) {
      await server.close();
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
        const insert = (statement: string) => server.insert(statement, segment.path);
        const bodies = () => hasBodies(segment.path, options.messages);
        const ports: LoadingPorts = {
          ...connection,
          insert,
          source: { from: 'body' },
          hasBodies: bodies,
          layout,
        };
        return doubts.resolving(ports, segment, () => loadSegment(ports, segment));
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
    close: server.close,
  };
}

async function bringForward(server: Server, { asFound, alone, log }: ServerStoreOptions): Promise<void> {
  await refuseUnfit(server.connection);
  if (!asFound) await alone(() => migrate(server.connection, server.layout, log));
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
