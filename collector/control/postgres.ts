// Control state on a Postgres server: the same statements through a small pool, lane by lane. A connection that breaks is
// replaced by the pool; while none can be had, whoever asks or waits hears so and asks again.

import { randomBytes } from 'node:crypto';
import type { ClientConfig, Pool, PoolClient } from 'pg';
import { type Clock, systemClock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Database } from './database.ts';
import { DatabaseFailed, DatabaseUnavailable } from './failures.ts';
import { createLanes, hasRoom, type Lane } from './lanes.ts';
import { migrate } from './migrations.ts';
import type { Row } from './pglite.ts';

const CONNECTIONS_MAX = 4;
const CONNECT_MS = 5_000;
const ANSWER_MS = 30_000;
const LOOK_AGAIN_MS = 500;
/** Collectors that start together bring the schema forward one after the other. */
const MIGRATING = 4320;
/** What is done to another server is done by one collector at a time too. */
const ALONE = 4321;
/** Postgres' type of 64-bit integers. */
const INT8 = 20;

/**
 * Opens the database that `url` names, at its newest form. The url may hold a password: it is never repeated. Throws an
 * Error with one sentence when the server can't be reached.
 */
export async function openPostgres(options: { url: string; log: Log; clock?: Clock }): Promise<Database> {
  const { url, log, clock = systemClock } = options;
  const place = placeOf(url);
  const address = addressOf(url);
  const pool = await poolOf(address);
  let open = true;
  let closing = false;
  const turns = createTurns(CONNECTIONS_MAX);
  let cancelLook = (): void => undefined;
  // A connection that breaks while idle: the next statement opens another.
  pool.on('error', (failure) => lost(failure));

  function lost(failure: unknown): void {
    if (!open || closing) return;
    open = false;
    log.error('control_database_lost', { place, reason: sentenceOf(failure) });
    turns.sendAway(() => new DatabaseUnavailable('The control database does not answer.', failure));
    cancelLook = clock.after(LOOK_AGAIN_MS, lookAgain);
  }

  function lookAgain(): void {
    pool.query('select 1').then(
      () => {
        open = true;
        log.info('control_database_back', { place });
      },
      () => {
        if (!closing) cancelLook = clock.after(LOOK_AGAIN_MS, lookAgain);
      },
    );
  }

  try {
    await migrateOn(pool, log);
  } catch (failure) {
    await pool.end();
    throw new Error(`The Postgres of store.postgres (${place}) can't be used: ${sentenceOf(failure)}.`, {
      cause: failure,
    });
  }

  return {
    async query<T extends Row>(sql: string, parameters: readonly unknown[] = [], lane: Lane = 'rest') {
      if (!hasRoom(lane, turns.size()))
        throw new DatabaseUnavailable('Too much waits for the control database.');
      await turns.mine(lane);
      try {
        return (await pool.query<T>(sql, [...parameters])).rows;
      } catch (failure) {
        const known = failureOf(failure);
        if (known instanceof DatabaseUnavailable) lost(failure);
        throw known;
      } finally {
        turns.next();
      }
    },
    copy: () =>
      Promise.reject(
        new Error(
          `Control state is on ${place}: back that database up with pg_dump, and the rest when it is embedded.`,
        ),
      ),
    server: place,
    async others() {
      const { rows } = await pool
        .query<{ others: number }>(OTHERS, [address.application_name])
        .catch((failure) => {
          throw failureOf(failure);
        });
      return rows[0]!.others;
    },
    alone: (act) => aloneOn(address, act),
    isOpen: () => open,
    pending: () => turns.size(),
    async close() {
      closing = true;
      cancelLook();
      await pool.end();
    },
  };
}

interface Turns {
  /** Resolves when it is the caller's turn; `next` has to follow. */
  mine(lane: Lane): Promise<void>;
  next(): void;
  /** Nobody waits any longer. */
  sendAway(why: () => Error): void;
  /** Who waits, and whose turn it is. */
  size(): number;
}

/** The pool's own queue knows no lanes, so nothing ever waits there. */
function createTurns(together: number): Turns {
  const waiting = createLanes<PromiseWithResolvers<void>>();
  let running = 0;
  return {
    async mine(lane) {
      if (running < together) running += 1;
      else {
        const turn = Promise.withResolvers<void>();
        waiting.put(lane, turn);
        await turn.promise;
      }
    },
    next() {
      const turn = waiting.take();
      if (turn) turn.resolve();
      else running -= 1;
    },
    sendAway(why) {
      for (let turn = waiting.take(); turn; turn = waiting.take()) turn.reject(why());
    },
    size: () => running + waiting.size(),
  };
}

/** `host:port/database`, all that is ever said of the URL. */
function placeOf(url: string): string {
  if (!URL.canParse(url))
    throw new Error('store.postgres is not a URL; write postgres://HOST:5432/DATABASE.');
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || 5432}${pathname}`;
}

/** All connections of one collector bear one name, by which collectors know of each other. */
const addressOf = (url: string) => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECT_MS,
  keepAlive: true,
  application_name: `outrider ${randomBytes(8).toString('hex')}`,
});

const OTHERS = `select count(distinct application_name)::integer as others from pg_stat_activity
  where datname = current_database() and application_name like 'outrider %' and application_name <> $1`;

async function poolOf(address: ClientConfig): Promise<Pool> {
  const { Pool, types } = await import('pg');
  return new Pool({
    ...address,
    max: CONNECTIONS_MAX,
    query_timeout: ANSWER_MS,
    types: {
      getTypeParser: (id: number, format?: 'text' | 'binary') =>
        id === INT8 ? wholeNumber : types.getTypeParser(id, format === 'binary' ? 'binary' : 'text'),
    } as typeof types,
  });
}

/** As the embedded Postgres gives it: a number, or beyond 2⁵³ a bigint. */
function wholeNumber(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** On a connection of its own: whoever waits for the lock keeps nobody from the pool. The lock goes with the connection. */
async function aloneOn<T>(address: ClientConfig, act: () => Promise<T>): Promise<T> {
  const { Client } = await import('pg');
  const client = new Client(address);
  client.on('error', () => undefined); // whoever holds the lock goes on: what is done alone is harmless twice
  try {
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [ALONE]);
  } catch (failure) {
    await client.end();
    throw failureOf(failure);
  }
  try {
    return await act();
  } finally {
    await client.end();
  }
}

async function migrateOn(pool: Pool, log: Log): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATING]);
    await migrate(
      {
        script: (sql) => inTransaction(client, sql),
        done: async () =>
          (await client.query<{ name: string }>('select name from migrations')).rows.map(({ name }) => name),
      },
      log,
    );
    await client.query('select pg_advisory_unlock($1)', [MIGRATING]);
  } finally {
    client.release();
  }
}

async function inTransaction(client: PoolClient, sql: string): Promise<void> {
  try {
    await client.query(`begin;\n${sql};\ncommit`);
  } catch (failure) {
    await client.query('rollback');
    throw failure;
  }
}

/** SQLSTATE classes that say the server, not the statement, is what failed: connection, resources, operator, deadlock. */
const OF_THE_SERVER = /^(08|53|57P|40)/;

function failureOf(failure: unknown): DatabaseFailed | DatabaseUnavailable {
  const { message, code } = failure as Error & { code?: unknown };
  const state = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : '';
  return state === '' || OF_THE_SERVER.test(state)
    ? new DatabaseUnavailable('The control database does not answer.', failure)
    : new DatabaseFailed(message, state);
}
