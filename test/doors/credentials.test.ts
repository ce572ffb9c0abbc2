// Credentials at every door, as data: secrets that exist nowhere else are planted where they belong and where agents put
// them, and after each case what the origin got and what came back is searched for them; at the end so is all that was
// written.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Received, Reply } from '../sdk/double.ts';
import { type Setting, startSetting, WAYS, type WayName } from '../sdk/setting.ts';
import { temporaryDirectory, until } from '../support/processes.ts';
import { converse, dial, type Heard, insideOf, localAuthority } from './wire.ts';

interface CredentialCase {
  readonly id: string;
  readonly ways?: readonly WayName[];
  readonly method?: string;
  /** The path at the origin, or a whole url; `/api/x` without. */
  readonly at?: string;
  readonly query?: string;
  /** Flat list of names and values; `{agent}` is a secret of the agent's own, `{sink}` a host nobody may reach. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** 200 without; null where the answer is ended in the middle. */
  readonly status?: number | null;
  /** The header in which the origin gets our secret, once; null where it gets none. */
  readonly ours?: string | null;
  readonly answer?: Reply;
  /** How the origin says again what it got. */
  readonly reflect?: 'body' | 'letters' | 'header' | 'error' | 'base64';
  /** Headers the origin must not get. */
  readonly stripped?: readonly string[];
  /** What must not come back. */
  readonly never?: string;
  readonly instead?: string;
}

const CASES = readFileSync(new URL('../cases/credentials.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as CredentialCase);

const BEARER = `bearer-canary-${randomUUID()}`;
const KEYED = `keyed-canary-${randomUUID()}`;
const LAZY = `lazy-canary-${randomUUID()}`;
const AGENTS = `agent-canary-${randomUUID()}`;
const OURS = [BEARER, KEYED, LAZY];

const CONFIG = `fleet: credentials
mode: enforce
budgets: none
upstreams:
  api: { url: "{plain}/api", speaks: http, credential: bearer }
  api-tls: { url: "{tls}/api", speaks: http, credential: bearer }
  keyed: { url: "{plain}/keyed", speaks: http, credential: keyed }
  keyed-tls: { url: "{tls}/keyed", speaks: http, credential: keyed }
  bare: { url: "{plain}/bare", speaks: http }
  bare-tls: { url: "{tls}/bare", speaks: http }
  read: { url: "{plain}/read", speaks: http, credential: lazy }
  read-tls: { url: "{tls}/read", speaks: http, credential: lazy }
  apiary: { url: "{plain}/apiary", speaks: http }
  apiary-tls: { url: "{tls}/apiary", speaks: http }
  dead: { url: "http://127.0.0.1:1/dead", speaks: http, credential: bearer }
  lazy: { url: "{plain}/lazy", speaks: http, credential: lazy }
credentials:
  bearer: { from: env:BEARER }
  keyed: { from: env:KEYED, header: x-search-key }
  lazy: { from: "exec:{script}" }
roles:
  r:
    allow:
      - http * {plain}/api/**
      - http * {tls}/api/**
      - http * {plain}/keyed/**
      - http * {tls}/keyed/**
      - http * {plain}/bare/**
      - http * {tls}/bare/**
      - http GET {plain}/apiary/**
      - http GET {tls}/apiary/**
      - http GET {plain}/read/**
      - http GET {tls}/read/**
      - http GET http://127.0.0.1:1/**
      - http GET {plain}/lazy/**
      - http GET http://**/**
    deny: [http GET {plain}/lazy/denied]
    ask: [http GET {plain}/lazy/asked]
agents: { scout: { role: r, budgets: [$1/month] } }
prices: { lazy: { call: $0.75 } }
breakers: { min_calls: 1000 }
timeouts: { connect: 1s, first_byte: 2s }
`;

let setting: Setting;
let authority: string;
let sink: Server;
let sunk = 0;
/** Written each time the lazy secret is read. */
const reads = join(temporaryDirectory('credentials'), 'reads');

beforeAll(async () => {
  const script = `${reads}.sh`;
  writeFileSync(script, `#!/bin/sh\necho read >> ${reads}\necho ${LAZY}\n`);
  chmodSync(script, 0o700);
  sink = createServer((socket) => {
    sunk += 1;
    socket.destroy();
  });
  await once(sink.listen(0, '127.0.0.1'), 'listening');
  setting = await startSetting(CONFIG.replace('{script}', script), { BEARER, KEYED });
  setting.double.answer(() => ({ body: {} }));
  authority = await localAuthority(setting);
});
afterAll(async () => {
  await setting.stop();
  sink.close();
});

const hostOf = (url: string): string => new URL(url).host;

/** Our own names for places, in what goes over the wire. */
const filled = (text: string, body = ''): string =>
  text
    .replaceAll('{agent}', AGENTS)
    .replaceAll('{sink}', `127.0.0.1:${(sink.address() as AddressInfo).port}`)
    .replaceAll('{plainhost}', hostOf(setting.double.plainUrl))
    .replaceAll('{plain}', setting.double.plainUrl)
    .replaceAll('{length}', String(Buffer.byteLength(body)));

/** What stands on the request line and in Host, and on which connection, for a path at the origin. */
async function wayTo(way: WayName, at: string): Promise<{ socket: Socket; target: string; host: string }> {
  const { proxy, double } = setting;
  if (way === 'intercepted') {
    const host = hostOf(double.tlsUrl);
    return { socket: await insideOf(proxy, host, { ca: authority }), target: at, host };
  }
  const socket = await dial(proxy);
  // at the reverse door the name of the upstream comes first: all are called as their path begins
  if (way === 'reverse') return { socket, target: at, host: 'localhost' };
  const target = at.startsWith('/') ? double.plainUrl + at : at;
  return { socket, target, host: hostOf(target) };
}

async function send(way: WayName, each: CredentialCase): Promise<Heard> {
  const { method = 'GET', at = '/api/x', query = '', headers = [], body = '' } = each;
  const { socket, target, host } = await wayTo(way, filled(at));
  const names = headers.map((name) => name.toLowerCase());
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []));
  if (!names.includes('host')) lines.unshift(`Host: ${host}`);
  if (!names.includes('connection')) lines.push('Connection: close');
  const text = filled(body);
  const head = `${method} ${target}${query} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
  return converse(socket, [filled(head, text) + text]);
}

function reflecting(how: CredentialCase['reflect'], { rawHeaders }: Received): Reply {
  const text = rawHeaders.join(' ');
  if (how === 'header') return { headers: { 'x-echo': text }, body: {} };
  if (how === 'error') return { status: 500, body: { error: { message: `not like this: ${text}` } } };
  if (how === 'base64') return { body: Buffer.from(text).toString('base64') };
  return how === 'letters' ? { chunks: [...text] } : { body: text };
}

const timesIn = (text: string, secrets: readonly string[]): number =>
  secrets.reduce((sum, secret) => sum + text.split(secret).length - 1, 0);

function expectAtOrigin({ ours = 'authorization', stripped = [] }: CredentialCase, one: Received): void {
  const { rawHeaders, headers, url, body } = one;
  const all = `${rawHeaders.join('\n')}\n${url}\n${body.toString('latin1')}`;
  expect(timesIn(all, [AGENTS]), all).toBe(0);
  expect(timesIn(all, OURS), all).toBe(ours === null ? 0 : 1);
  if (ours !== null) expect(timesIn(String(headers[ours]), OURS)).toBe(1);
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  expect(names.filter((name) => name === ours)).toHaveLength(ours === null ? 0 : 1);
  expect(names.filter((name) => stripped.includes(name) || name.startsWith('x-outrider-'))).toEqual([]);
}

const ROWS = CASES.flatMap((each) =>
  (each.ways ?? WAYS).map((way) => [`${each.id}, ${way}`, way, each] as const),
);

describe('a credential', () => {
  it.each(ROWS)('%s', async (_, way, each) => {
    const { answer, reflect, status = 200, never } = each;
    setting.double.answer((request) => {
      if (reflect !== undefined) return reflecting(reflect, request);
      const headers = { ...answer?.headers };
      if (headers.location) headers.location = filled(headers.location);
      return { body: {}, ...answer, headers };
    });
    const before = setting.double.received.length;
    const heard = await send(way, each);
    if (status !== null) expect(heard.statuses, heard.text).toEqual([status]);
    expect(timesIn(heard.text, OURS)).toBe(0);
    if (never !== undefined) expect(heard.text).not.toContain(never);
    const received = setting.double.received.slice(before);
    const refused = status !== null && status >= 400 && answer === undefined && reflect === undefined;
    expect(received).toHaveLength(refused ? 0 : 1);
    for (const one of received) expectAtOrigin(each, one);
    expect(sunk).toBe(0);
  });

  it('CRED-07: is not even read for what is refused, and once it is for what is not', async () => {
    setting.double.answer(() => ({ body: {} }));
    const at = (path: string) => send('reverse', { id: '', at: path });
    expect((await at('/lazy/denied')).statuses).toEqual([403]);
    expect((await at('/lazy/asked')).statuses).toEqual([403]);
    expect((await at('/lazy/%2e%2e/x')).statuses).toEqual([400]);
    expect((await send('reverse', { id: '', at: '/lazy/x', method: 'DELETE' })).statuses).toEqual([403]);
    expect(existsSync(reads)).toBe(false);
    expect((await at('/lazy/x')).statuses).toEqual([200]);
    expect(readFileSync(reads, 'utf8')).toBe('read\n');
    const beyond = await at('/lazy/x');
    expect([beyond.statuses, beyond.text.includes('over_budget')]).toEqual([[402], true]);
    expect(readFileSync(reads, 'utf8')).toBe('read\n');
  });

  it('CRED-12: that an upstream does not take is neither tried again nor changed for another', async () => {
    setting.double.answer(() => ({ status: 401, body: { error: 'who are you?' } }));
    const before = setting.double.received.length;
    for (let i = 0; i < 100; i++) {
      const answer = await fetch(`${setting.proxy}/api/x`);
      expect(answer.status).toBe(401);
      await answer.arrayBuffer();
    }
    const given = setting.double.received.slice(before).map(({ headers }) => headers.authorization);
    expect(given).toEqual(new Array(100).fill(`Bearer ${BEARER}`));
  });
});

function filesUnder(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

/** Every table there is, as text. */
async function everyRow(): Promise<string> {
  const names = await setting.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name',
  );
  expect(names.length).toBeGreaterThan(10);
  let text = '';
  for (const { name } of names) text += JSON.stringify(await setting.query(`SELECT * FROM \`${name}\``));
  return text;
}

describe('after all of that', () => {
  it('CRED-10: a signal opens no inspector', async () => {
    setting.outrider.child.kill('SIGUSR1');
    setting.double.answer(() => ({ body: {} }));
    for (let i = 0; i < 20; i++) expect((await fetch(`${setting.proxy}/api/x`)).status).toBe(200);
    expect(setting.outrider.output()).not.toContain('Debugger listening');
  });

  it('AUD-10: no secret stands anywhere: no row, metric, log line or file', async () => {
    const { listen } = setting.outrider;
    const count = () => setting.query<{ n: string }>('SELECT count() AS n FROM actions');
    await until(count, ([row]) => Number(row?.n) >= ROWS.length);
    const metrics = await fetch(`${listen.sidecar!.admin}/metrics`);
    const texts = [await everyRow(), await metrics.text()];
    await setting.stop();
    texts.push(setting.outrider.output());
    for (const text of texts) expect(timesIn(text, [...OURS, AGENTS])).toBe(0);
    const files = filesUnder(setting.dataDirectory);
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const bytes = readFileSync(file);
      for (const secret of [...OURS, AGENTS]) expect(bytes.includes(secret), file).toBe(false);
    }
  });
});
