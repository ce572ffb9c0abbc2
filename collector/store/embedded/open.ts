// The store in a process of its own: spawned, spoken to through its private door, followed through its lives. Each life has
// its own port and password; the read-only door and the directory stay the same.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { invariant } from '../../../kit/invariant.ts';
import { type Connection, connectionOf } from '../connection.ts';
import { StoreUnavailable } from '../failures.ts';
import { ALONE } from '../layout.ts';
import { loadSegment, takeBackSegment } from '../load.ts';
import { migrate, takeTimesOfLifeAway } from '../migrate.ts';
import { hasBodies } from '../segment-bytes.ts';
import type { EmbeddedStore, StoreOptions } from '../store.ts';
import { DEFAULT_LIMITS, PRIVATE_USER } from './messages.ts';
import { type PrivateDoor, type StoreProcess, spawnStore } from './spawn.ts';

const REQUEST_MS_MAX = 320_000;

/** Rejects with an error whose `code` is EADDRINUSE when the port is taken. */
export async function openEmbeddedStore(options: StoreOptions): Promise<EmbeddedStore> {
  const sql = parseListen(options.sqlListen);
  const process = await spawnStore({
    dataDirectory: options.dataDirectory,
    sql,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    log: options.log,
    clock: options.clock,
  });
  const connection = connect(process);
  const store: EmbeddedStore = {
    sqlUrl: `http://${sql.host.includes(':') ? `[${sql.host}]` : sql.host}:${process.sqlPort}`,
    server: null,
    layout: ALONE,
    load: (segment) =>
      loadSegment(
        {
          query: connection.query,
          command: connection.command,
          insert: (statement) => connection.command(statement),
          source: { from: 'file', path: resolve(segment.path) },
          hasBodies: () => hasBodies(segment.path, options.messages),
          layout: ALONE,
        },
        segment,
      ),
    takeBack: (segment) =>
      takeBackSegment(
        { command: connection.command, source: { from: 'file', path: resolve(segment.path) }, layout: ALONE },
        segment,
      ),
    query: connection.query,
    command: connection.command,
    isOpen: () => process.door() !== undefined,
    memoryBytes: async () => residentBytes(process.pid()),
    pid: () => process.pid(),
    async close() {
      await process.close();
      await connection.close();
    },
  };
  try {
    if (options.asFound) return store;
    await migrate(connection, ALONE, options.log);
    await takeTimesOfLifeAway(connection);
  } catch (failure) {
    await store.close();
    throw failure;
  }
  return store;
}

function parseListen(listen: string): { host: string; port: number } {
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(listen);
  invariant(match, `listen.sql must be host:port, not ${listen}`);
  return { host: match[1]!, port: Number(match[2]) };
}

function connect(process: StoreProcess): Connection {
  let current: { door: PrivateDoor; client: ClickHouseClient } | undefined;

  async function client(): Promise<ClickHouseClient> {
    const door = process.door();
    if (!door) throw new StoreUnavailable('the store process is away; it is being started again');
    if (current?.door === door) return current.client;
    const before = current?.client;
    const fresh = createClient({
      url: door.url,
      username: PRIVATE_USER,
      password: door.password,
      request_timeout: REQUEST_MS_MAX,
      log: { level: ClickHouseLogLevel.OFF },
    });
    current = { door, client: fresh }; // at once: who asks meanwhile must not make another
    await before?.close();
    return fresh;
  }

  return connectionOf(client, async () => {
    await current?.client.close();
  });
}

function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
