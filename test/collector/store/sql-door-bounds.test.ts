// What a stranger can't do to the read-only door: hold it, fill it, or take the store's memory. One reader, short limits.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../support/processes.ts';
import { type OpenedStore, openTestStore } from './open.ts';
import { requestBytes, type Span } from './otlp.ts';

const LIMITS = {
  readers: 1,
  querySecondsMax: 2,
  graceSeconds: 1,
  queryMemoryBytes: 900_000_000,
  engineMemoryBytes: 450_000_000,
};
/** One block of it takes an hour, and the engine looks at the time between blocks only. */
const STUCK = `SELECT sum(editDistance(repeat('ab', 30000), concat(repeat('ba', 30000), toString(number)))) FROM numbers(1000)`;
const ENDLESS = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1';
/** Ten gigabytes, a megabyte a block; not constant, for a constant counts once. */
const HUGE = "SELECT repeat('x', 1000 + number % 2) FROM numbers(10000000) SETTINGS max_block_size = 1000";

const NOW_UNIX_NANO = BigInt(Date.now()) * 1_000_000n;
const SPAN: Span = {
  traceId: Buffer.alloc(16, 1),
  spanId: Buffer.alloc(8, 1),
  name: 'after',
  startUnixNano: NOW_UNIX_NANO,
  endUnixNano: NOW_UNIX_NANO + 1n,
};

let opened: OpenedStore;
beforeAll(async () => {
  opened = await openTestStore({ limits: LIMITS });
});
afterAll(() => opened.close());

const ask = (statement: string, init: RequestInit = {}, query = '') =>
  fetch(`${opened.store.sqlUrl}/?${query}`, { method: 'POST', body: statement, ...init });

/** A query that is answered at once: the reader is free again. */
async function answered(): Promise<string> {
  return await until(
    async () => {
      const response = await ask('SELECT 1').catch(() => null);
      return { status: response?.status, text: await response?.text() };
    },
    (answer) => answer.status === 200,
  ).then((answer) => answer.text ?? '');
}

/** Sends bytes and reads nothing, ever. */
async function silent(bytes: string): Promise<Socket> {
  const { hostname, port } = new URL(opened.store.sqlUrl);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(bytes);
  return socket;
}

const posting = (statement: string, length = statement.length) =>
  `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${length}\r\n\r\n${statement}`;

describe('the door stays open', () => {
  test('to others while a statement arrives slowly', async () => {
    const slow = await silent(posting('SELECT', 1_000));
    expect(await answered()).toBe('1\n');
    slow.destroy();
  });

  test('after a client that asks for much and never reads it', async () => {
    const deaf = await silent(posting("SELECT repeat('x', 1000) FROM numbers(60000)"));
    await once(deaf, 'readable');
    expect(await answered()).toBe('1\n');
    deaf.destroy();
  });

  test('and to the collector, while the engine works out a subquery to plan with', async () => {
    const planned = ask(`SELECT (${ENDLESS})`);
    const running = "SELECT query FROM system.processes WHERE query LIKE '/* % = 1)'";
    await until(
      () => opened.store.query(running),
      (rows) => rows.length === 1,
    );
    expect(await (await planned).text()).toMatch(/^Code: 159\. /);
  });

  test('and refuses who comes when the line is full', async () => {
    const hanging = new AbortController();
    const line = Array.from({ length: 9 }, () => ask(ENDLESS, { signal: hanging.signal }).catch(() => null));
    const refused = await until(
      () => ask('SELECT 1', { signal: AbortSignal.timeout(1_000) }).catch(() => null),
      (answer) => answer?.status === 503,
    );
    expect(await refused!.text()).toMatch(/^Code: 202\. DB::Exception: Too many simultaneous queries/);
    hanging.abort();
    await Promise.all(line);
    expect(await answered()).toBe('1\n');
  });
});

describe('memory', () => {
  test('a huge answer is refused, and not gathered before', async () => {
    const before = await opened.store.memoryBytes();
    const response = await ask(HUGE);
    expect(await response.text()).toMatch(/^Code: 396\. .*Limit for result exceeded/);
    expect((await opened.store.memoryBytes()) - before).toBeLessThan(300_000_000);
  });

  test('caches leave most of it to the work', async () => {
    const [row] = await opened.store.query<{ bytes: string }>(
      "SELECT sum(toUInt64OrZero(value)) AS bytes FROM system.server_settings WHERE name LIKE '%cache_size%' AND name NOT LIKE 's3%'",
    );
    expect(Number(row?.bytes)).toBeLessThan(500_000_000);
  });

  test('all queries together take no more than is given to the engine', async () => {
    const response = await ask('SELECT length(groupArray(number)) FROM numbers(100000000)');
    expect(await response.text()).toMatch(/Code: 241\..*\(total\) memory limit exceeded/s);
    expect(response.status).toBe(500);
  });
});

test('what reads leave behind in the engine for good ends the process before it starves all work', async () => {
  const pid = opened.store.pid();
  const zone = (second: number) => `Fixed/UTC+01:${Math.floor(second / 60) + 10}:${(second % 60) + 10}`;
  for (let second = 0; second < 50; second++)
    expect((await ask(`SELECT toTimeZone(now(), '${zone(second)}')`)).status).toBe(200);
  await (await ask('SELECT length(groupArray(number)) FROM numbers(100000000)')).text();
  await until(
    async () => opened.store.pid(),
    (now) => now !== pid && now !== 0,
  );
  expect(await answered()).toBe('1\n');
});

test('a query that the engine can’t interrupt ends the process; the store comes back, and loads on', async () => {
  const pid = opened.store.pid();
  await expect(ask(STUCK).then((response) => response.text())).rejects.toThrow();
  await until(
    async () => opened.store.pid(),
    (now) => now !== pid && now !== 0,
  );
  expect(await answered()).toBe('1\n');
  const segment = opened.segment('after', [requestBytes({ spans: [SPAN] })]);
  const items = await until(
    () => opened.store.load(segment).catch(() => null),
    (loaded) => loaded !== null,
  );
  expect(items).toEqual({ items: 1 });
});
