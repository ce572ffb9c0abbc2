// The read-only door: what strangers may and may not do, as data; and that real clients work.

import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrations } from '../../../collector/store/migrate.ts';
import { until } from '../../support/processes.ts';
import { type OpenedStore, openTestStore } from './open.ts';

interface Case {
  readonly id: string;
  readonly statement: string;
  readonly expect: 'runs' | 'refused';
  readonly code?: number;
  readonly answer?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly database?: string;
}

const CASES = readFileSync(new URL('../../cases/sql-door.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const SECRET = 'canary-4f1c';
let opened: OpenedStore;
let canary: Server;
let canaryUrl: string;
let canaryCalls = 0;

beforeAll(async () => {
  opened = await openTestStore();
  writeFileSync(join(opened.directory, 'secret.txt'), SECRET);
  canary = createServer((_request, response) => {
    canaryCalls += 1;
    response.end(SECRET);
  });
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
  canaryUrl = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
});

afterAll(async () => {
  canary.close();
  await opened.close();
});

const outfile = () => join(opened.directory, 'written-by-a-stranger');

const filled = (text: string) =>
  text
    .replaceAll('{{file}}', join(opened.directory, 'secret.txt'))
    .replaceAll('{{directory}}', opened.directory)
    .replaceAll('{{out}}', outfile())
    .replaceAll('{{canary}}', canaryUrl)
    .replaceAll('{{brackets}}', `${'('.repeat(3000)}1${')'.repeat(3000)}`)
    .replaceAll('{{large}}', 'x'.repeat(270_000));

async function ask({ statement, params = {}, database }: Partial<Case>, more: Record<string, string> = {}) {
  const url = new URL(opened.store.sqlUrl);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(`param_${name}`, filled(value));
  if (database) url.searchParams.set('database', database);
  url.searchParams.set('default_format', 'TSVRaw');
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  const response = await fetch(url, { method: 'POST', body: filled(statement ?? '') });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe('what strangers may do', () => {
  test.each(CASES.filter((one) => one.expect === 'runs'))('runs: $id', async (one) => {
    const { status, text } = await ask(one);
    expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
    if (one.answer !== undefined) expect(text.replace(/\n$/, '')).toBe(one.answer);
  });

  test('read every table and view there is', async () => {
    const { text } = await ask({ statement: 'SHOW TABLES' });
    const tables = text.trim().split('\n');
    expect(tables).toEqual(
      expect.arrayContaining(['actions', 'tasks', 'policies', 'control_events', 'otel_logs']),
    );
    for (const table of tables) {
      const { status, text: answer } = await ask({ statement: `SELECT * FROM ${table} LIMIT 1` });
      expect({ table, status, answer: status === 200 ? '' : answer }).toEqual({
        table,
        status: 200,
        answer: '',
      });
    }
  });
});

describe('what strangers may not do', () => {
  test.each(CASES.filter((one) => one.expect === 'refused'))('refused: $id', async (one) => {
    const { status, headers, text } = await ask(one);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).toMatch(/^Code: \d+\. DB::Exception: /);
    if (one.code !== undefined)
      expect(`${headers.get('x-clickhouse-exception-code')} ${text}`).toMatch(`${one.code} `);
    expect(text).not.toContain(SECRET);
    expect(existsSync(outfile())).toBe(false);
    expect(canaryCalls).toBe(0);
  });

  test.each(['SELECT 1 FROM', "SELECT f('a') FROM ) x", 'SELECT 1 WHERE ｘ', ' ; ', "SELECT '"])(
    'are told of a mistake in their own words: %s',
    async (statement) => {
      const { status, text } = await ask({ statement });
      expect(status).toBe(400);
      expect(text).toMatch(/^Code: 62\. DB::Exception: .+\(SYNTAX_ERROR\)\n$/);
      expect(text).not.toContain('formatQuery');
    },
  );

  test('and nothing changed while they tried', async () => {
    const [row] = await opened.store.query<{ migrations: string; actions: string }>(
      'SELECT (SELECT count() FROM outrider_migrations) AS migrations, (SELECT count() FROM actions) AS actions',
    );
    expect(row).toEqual({ migrations: String(migrations().length), actions: '0' });
  });
});

describe('the HTTP interface', () => {
  test('answers a ping, and a GET as well as a POST', async () => {
    expect(await (await fetch(`${opened.store.sqlUrl}/ping`)).text()).toBe('Ok.\n');
    const response = await fetch(`${opened.store.sqlUrl}/?query=SELECT+1+AS+a+FORMAT+JSON`);
    if (response.status !== 200) throw new Error(await response.text());
    expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8');
    expect(((await response.json()) as { data: unknown }).data).toEqual([{ a: 1 }]);
  });

  test('takes a format from the header, and says which it used', async () => {
    const headers = { 'x-clickhouse-format': 'CSV' };
    const response = await fetch(opened.store.sqlUrl, { method: 'POST', body: "SELECT 'a', 2", headers });
    expect(await response.text()).toBe('"a",2\n');
    expect(response.headers.get('x-clickhouse-format')).toBe('CSV');
  });

  test('lets a client set what is listed, drops the rest, and caps what has a cap', async () => {
    const quoted = { output_format_json_quote_64bit_integers: '1', default_format: 'JSONEachRow' };
    expect((await ask({ statement: 'SELECT 1::UInt64 AS a' }, quoted)).text).toBe('{"a":"1"}\n');
    const greedy = { max_memory_usage: '99999999999', readonly: '0', max_execution_time: '9999' };
    const statement =
      "SELECT getSetting('max_memory_usage'), getSetting('readonly'), getSetting('max_execution_time')";
    expect((await ask({ statement }, greedy)).text).toBe('200000000\t2\t30\n');
    expect((await ask({ statement }, {})).text).toBe('200000000\t1\t30\n');
  });

  test('takes a time zone by its name, and by no path', async () => {
    const statement = 'SELECT timezone()';
    for (const zone of ['Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+3'])
      expect((await ask({ statement }, { session_timezone: zone })).text).toBe(`${zone}\n`);
    for (const path of ['/etc/passwd', 'file:x', '../x', 'Europe/../x', '/proc/self/fd/0'])
      expect((await ask({ statement }, { session_timezone: path })).text).toBe('UTC\n');
    const own = { statement: "SELECT 1 SETTINGS session_timezone = '/etc/passwd'" };
    expect((await ask(own)).text).toMatch(/^Code: 497\./);
  });

  test('compresses when both sides want it', async () => {
    const url = `${opened.store.sqlUrl}/?enable_http_compression=1&query=SELECT+number+FROM+numbers(1000)`;
    const response = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect((await response.text()).split('\n')).toHaveLength(1001);
  });

  test('fails before any row, so that no client takes a part for the whole', async () => {
    const { status, text } = await ask({
      statement: 'SELECT throwIf(number = 900000) FROM numbers(1000000)',
    });
    expect({ status, told: text.slice(0, 10) }).toEqual({ status: 500, told: 'Code: 395.' });
  });

  test('sums up what a query cost', async () => {
    const { headers } = await ask({ statement: 'SELECT number FROM numbers(100)' });
    const summary = JSON.parse(headers.get('x-clickhouse-summary') ?? '') as Record<string, string>;
    expect(summary).toMatchObject({ read_rows: '100', read_bytes: '800' });
    expect(Number(summary.elapsed_ns)).toBeGreaterThan(0);
  });

  test('applies filters of tables that come in the URL, and judges them', async () => {
    const filtered = (filter: string) =>
      ask({ statement: 'SELECT count() FROM outrider_migrations' }, { additional_table_filters: filter });
    expect((await filtered("{'outrider_migrations' : ' name = \\'none\\' '}")).text).toBe('0\n');
    const file = filled("{'outrider_migrations': 'file(\\'{{file}}\\') != \\'\\''}");
    expect((await filtered(file)).text).toMatch(/^Code: 497\. .*function file/);
    expect((await filtered('outrider_migrations: 1')).status).toBe(403);
  });

  test('takes a session’s id, and keeps none', async () => {
    expect((await ask({ statement: 'SELECT 1' }, { session_id: 'a' })).status).toBe(200);
    expect((await ask({ statement: 'SELECT 1' }, { session_id: 'a', session_check: '1' })).status).toBe(404);
    const kept = await ask({ statement: 'SELECT 1' }, { session_id: 'a', session_timeout: '60' });
    expect(kept.text).toMatch(/^Code: 48\. .*no sessions here/);
  });

  test.each([
    ['an encoding it does not know', { 'content-encoding': 'br' }, 'SELECT 1', 501],
    ['a body that is not gzip', { 'content-encoding': 'gzip' }, 'SELECT 1', 400],
    ['a body in UTF-16', {}, Buffer.from('SELECT 1', 'utf16le'), 403],
    ['a body that is no UTF-8', {}, Buffer.from([0x53, 0xc3, 0x28]), 400],
    ['a form that is none', { 'content-type': 'multipart/form-data; boundary=x' }, 'SELECT 1', 400],
    ['a format of two words', { 'x-clickhouse-format': 'TSV SETTINGS readonly=0' }, 'SELECT 1', 400],
    ['a format that is a path', { 'x-clickhouse-format': '../x' }, 'SELECT 1', 400],
    ['a format that is none', { 'x-clickhouse-format': 'NoSuchFormat' }, 'SELECT 1', 400],
  ])('refuses %s', async (_, headers, body, status) => {
    const response = await fetch(opened.store.sqlUrl, { method: 'POST', body, headers: { ...headers } });
    expect(await response.text()).toMatch(/^Code: \d+\. DB::Exception: /);
    expect(response.status).toBe(status);
  });

  test('puts nothing of a client’s into its answer’s head', async () => {
    const answer = await ask({ statement: 'SELECT 1' }, { query_id: 'x\r\nset-cookie: a=b' });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect((await ask({ statement: 'SELECT 1' }, { default_format: 'TSV\r\nx: y' })).status).toBe(400);
    const unnamed = await ask({ statement: 'SELECT 1' }, { query_id: '' });
    expect(unnamed.headers.get('x-clickhouse-query-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('takes a query and its parameters in a form, and no tables', async () => {
    const form = new FormData();
    form.set('query', 'SELECT {x:String}, {y:UInt8} FORMAT TSV');
    form.set('param_x', "it's");
    form.set('param_y', '7');
    const answered = await fetch(opened.store.sqlUrl, { method: 'POST', body: form });
    expect(await answered.text()).toBe("it\\'s\t7\n");
    form.set('t', new Blob(['1\n']));
    const refused = await fetch(opened.store.sqlUrl, { method: 'POST', body: form });
    expect(await refused.text()).toMatch(/^Code: 48\. .*external tables/);
  });

  test('works no longer for a client that hung up, though the answer would come whole', async () => {
    const endless = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1 FORMAT JSON';
    const hanging = new AbortController();
    const readers = Array.from({ length: 3 }, () =>
      fetch(opened.store.sqlUrl, { method: 'POST', body: endless, signal: hanging.signal }).catch(
        () => 'gone',
      ),
    );
    await until(
      () =>
        opened.store.query<{ query: string }>(
          "SELECT query FROM system.processes WHERE query LIKE '/* % = 1'",
        ),
      (rows) => rows.length >= readers.length,
    );
    hanging.abort();
    expect(await Promise.all(readers)).toEqual(readers.map(() => 'gone'));
    expect((await ask({ statement: 'SELECT 1' })).text).toBe('1\n');
  }, 25_000); // less than the 30 s that each of them would take

  test('works no longer for a client that hung up while its statement was judged', async () => {
    const { hostname, port } = new URL(opened.store.sqlUrl);
    const long = Array.from({ length: 15_000 }, (_, i) => i + 1).join();
    const endless = `SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) IN (${long})`;
    const head = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${endless.length}\r\n\r\n`;
    for (let i = 0; i < 3; i++) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(head + endless);
      await opened.store.query('SELECT 1'); // meanwhile it has come
      socket.destroy();
    }
    expect((await ask({ statement: 'SELECT 1' })).text).toBe('1\n');
  }, 25_000);

  test('does not serve a name that a web page pointed at loopback', async () => {
    const response = await request(opened.store.sqlUrl, {
      method: 'POST',
      body: 'SELECT 1',
      headers: { host: 'rebound.example:8123' },
    });
    expect(response.statusCode).toBe(401);
    await response.body.dump();
  });
});

describe('@clickhouse/client', () => {
  const client = () => createClient({ url: opened.store.sqlUrl, log: { level: ClickHouseLogLevel.OFF } });

  test('pings, queries with parameters, and reads rows', async () => {
    const own = client();
    expect((await own.ping()).success).toBe(true);
    const answer = await own.query({
      query:
        'SELECT {name:String} AS name, {list:Array(UInt8)} AS list, {at:DateTime64(3)} AS at, {none:Nullable(String)} AS none, {map:Map(String, UInt8)} AS map',
      query_params: {
        name: "it's \\ a\nname",
        list: [1, 2],
        at: new Date('2026-01-02T03:04:05.678Z'),
        none: null,
        map: { a: 1 },
      },
      format: 'JSONEachRow',
    });
    expect(await answer.json()).toEqual([
      { name: "it's \\ a\nname", list: [1, 2], at: '2026-01-02 03:04:05.678', none: null, map: { a: 1 } },
    ]);
    await own.close();
  });

  test('streams many rows', async () => {
    const own = client();
    const answer = await own.query({
      query: 'SELECT number FROM numbers(300000)',
      format: 'JSONCompactEachRow',
    });
    let rows = 0;
    for await (const batch of answer.stream()) rows += batch.length;
    expect(rows).toBe(300_000);
    await own.close();
  });

  test('is told of failures as ClickHouse tells them', async () => {
    const own = client();
    await expect(own.query({ query: 'SELECT nothing FROM nowhere' })).rejects.toMatchObject({
      code: '60',
      type: 'UNKNOWN_TABLE',
    });
    await expect(own.command({ query: 'DROP TABLE actions' })).rejects.toMatchObject({
      type: 'ACCESS_DENIED',
    });
    await own.close();
  });
});

describe('the private door', () => {
  test('opens to no one without the password, which stands on no command line', async () => {
    const pid = opened.store.pid();
    const ports = listeningPorts(pid).filter((port) => port !== Number(new URL(opened.store.sqlUrl).port));
    expect(ports).toHaveLength(1);
    const url = `http://127.0.0.1:${ports[0]}`;
    const wrong = `Basic ${Buffer.from('collector:guess').toString('base64')}`;
    for (const headers of [{}, { authorization: wrong }]) {
      const response = await fetch(url, { method: 'POST', body: 'SELECT 1', headers });
      expect(response.status).toBe(401);
      await response.body?.cancel();
    }
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)).toHaveLength(2);
  });
});

/** Ports that a process listens on: its sockets' inodes, looked up in the kernel's table. */
function listeningPorts(pid: number): number[] {
  const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  const LISTEN = '0A';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && sockets.includes(`socket:[${fields[9]}]`))
    .map((fields) => Number.parseInt(fields[1]!.split(':')[1]!, 16));
}
