// The fleet's memory. The collector is always a client of a ClickHouse: embedded, that is a process of our own behind a
// private door on loopback; what stands here speaks to it as to any server, in SQL over HTTP.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Clock } from '../../kit/clock.ts';
import { invariant } from '../../kit/invariant.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { DEFAULT_LIMITS, type EngineLimits, PRIVATE_USER } from './embedded/messages.ts';
import { type PrivateDoor, type StoreProcess, spawnStore } from './embedded/spawn.ts';
import { isDataFault, QueryFailed, SegmentRejected, StoreUnavailable } from './failures.ts';
import { type LoadStatement, loadStatements, undoCount } from './load-statement.ts';
import { migrate } from './migrate.ts';

export interface Segment {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
}

export interface Store {
  /** The read-only door, `http://host:port`. */
  readonly sqlUrl: string;
  /**
   * Loads one segment; loading it again adds nothing. Answers how many of its items are stored.
   * Throws StoreUnavailable (try again) or SegmentRejected (never will).
   */
  load(segment: Segment): Promise<{ items: number }>;
  /** Runs one query, values by `{name:Type}`. 64-bit integers and decimals come as strings. Throws StoreUnavailable or QueryFailed. */
  query<T>(sql: string, parameters?: Record<string, unknown>): Promise<T[]>;
  /** Runs one statement that answers nothing. Throws as `query` does. */
  command(statement: string): Promise<void>;
  /** Resident memory of the store process, bytes; 0 while it is away. */
  memoryBytes(): Promise<number>;
  pid(): number;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly dataDirectory: string;
  /** `host:port` of the read-only door; port 0 picks a free one. */
  readonly sqlListen: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly limits?: Partial<EngineLimits>;
  /** Takes the tables as they are, also none at all. */
  readonly asFound?: boolean;
}

const REQUEST_MS_MAX = 320_000;

/** Rejects with an error whose `code` is EADDRINUSE when the port is taken. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const sql = parseListen(options.sqlListen);
  const process = await spawnStore({
    dataDirectory: options.dataDirectory,
    sql,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    log: options.log,
    clock: options.clock,
  });
  const connection = connect(process);
  const store: Store = {
    sqlUrl: `http://${sql.host.includes(':') ? `[${sql.host}]` : sql.host}:${process.sqlPort}`,
    load: (segment) => load(connection, segment),
    query: connection.query,
    command: connection.command,
    memoryBytes: async () => residentBytes(process.pid()),
    pid: () => process.pid(),
    async close() {
      await process.close();
      await connection.close();
    },
  };
  try {
    if (options.asFound) return store;
    await migrate(connection, options.log);
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

async function load(connection: Connection, segment: Segment): Promise<{ items: number }> {
  const statements = loadStatements({ id: segment.id, path: resolve(segment.path) });
  for (const [index, { insert }] of statements.entries()) {
    try {
      await loadTable(connection, insert);
    } catch (failure) {
      if (failure instanceof SegmentRejected)
        await takeBack(connection, segment.id, statements.slice(0, index));
      throw failure;
    }
  }
  const [row] = await connection.query<{ items: string }>(
    'SELECT sum(Spans) AS items FROM otel_segments WHERE SegmentId = {id:String}',
    { id: segment.id },
  );
  return { items: Number(row?.items ?? 0) };
}

async function loadTable(connection: Connection, insert: string): Promise<void> {
  try {
    await connection.command(insert);
  } catch (failure) {
    if (!(failure instanceof QueryFailed)) throw failure;
    if (isDataFault(failure.code)) throw new SegmentRejected(failure.code, failure.message);
    // Anything else that a load meets is of the moment: memory, disk, too many parts.
    throw new StoreUnavailable(failure.message, { cause: failure });
  }
}

/**
 * A segment is refused whole, though some of its tables had theirs already: it will come again in halves, under other
 * ids. Dying midway is no harm: the same segment adds nothing, is refused again, and the rest is taken back.
 */
async function takeBack(
  connection: Connection,
  segmentId: string,
  done: readonly LoadStatement[],
): Promise<void> {
  if (done.length === 0) return;
  try {
    for (const { undo } of done) await connection.command(undo);
    await connection.command(undoCount(segmentId));
  } catch (failure) {
    throw new StoreUnavailable(sentenceOf(failure), { cause: failure });
  }
}

interface Connection {
  command(statement: string): Promise<void>;
  query<T>(sql: string, parameters?: Record<string, unknown>): Promise<T[]>;
  close(): Promise<void>;
}

/** Follows the process through its lives: each has its own port and password. */
function connect(process: StoreProcess): Connection {
  let current: { door: PrivateDoor; client: ClickHouseClient } | undefined;

  async function client(): Promise<ClickHouseClient> {
    const door = process.door();
    if (!door) throw new StoreUnavailable('the store process is away; it is being started again');
    if (current?.door === door) return current.client;
    await current?.client.close();
    const fresh = createClient({
      url: door.url,
      username: PRIVATE_USER,
      password: door.password,
      request_timeout: REQUEST_MS_MAX,
      log: { level: ClickHouseLogLevel.OFF },
    });
    current = { door, client: fresh };
    return fresh;
  }

  return {
    command: (statement) =>
      translated(async () => {
        await (await client()).command({ query: statement });
      }),
    query: (sql, parameters = {}) =>
      translated(async () => {
        const answer = await (await client()).query({
          query: sql,
          query_params: parameters,
          format: 'JSONEachRow',
        });
        return await answer.json();
      }),
    async close() {
      await current?.client.close();
    },
  };
}

/** ClickHouse's own failures become QueryFailed; whatever breaks on the way there is StoreUnavailable. */
async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (failure) {
    if (failure instanceof StoreUnavailable) throw failure;
    if (failure instanceof ClickHouseError && failure.type !== 'TOO_MANY_SIMULTANEOUS_QUERIES')
      throw new QueryFailed(Number(failure.code), failure.message);
    throw new StoreUnavailable(sentenceOf(failure), { cause: failure });
  }
}

function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
