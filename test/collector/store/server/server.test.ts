// A store on a server: what is sent to the byte, and what becomes of a segment when the network, the server or the one who
// runs it gets in the way.

import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { StoreRefuses, StoreUnavailable } from '../../../../collector/store/failures.ts';
import { loadStatements } from '../../../../collector/store/load-statement.ts';
import { refuseUnfit } from '../../../../collector/store/server/fitness.ts';
import { readPlace } from '../../../../collector/store/server/place.ts';
import type { Segment, Store } from '../../../../collector/store/store.ts';
import { silentLog } from '../../../../kit/log.ts';
import { makeServerCertificate } from '../../../sdk/certificate.ts';
import { type Double, type Fate, startDouble } from '../../../support/clickhouse-double.ts';
import { type ManualClock, manualClock } from '../../../support/manual-clock.ts';
import { type OpenedStore, openServerTestStore, RECEIVED_AT } from '../open.ts';
import { requestBytes } from '../otlp.ts';

let double: Double;
let opened: OpenedStore<Store>;
let clock: ManualClock;
const said: string[] = [];
const note = (event: string, fields?: object) => void said.push(JSON.stringify([event, fields]));
const log = { ...silentLog, info: note, warn: note, error: note };

beforeAll(async () => {
  double = await startDouble();
  clock = manualClock();
  opened = await openServerTestStore({ url: await double.database(), clock, log });
});
afterAll(async () => {
  await opened.close();
  await double.stop();
});
beforeEach(() => void said.splice(0));

let drawn = 0;

/** One span, as a sidecar tells it. */
function segment(): Segment {
  drawn += 1;
  const traceId = Buffer.alloc(16, drawn);
  const spanId = Buffer.alloc(8, drawn);
  const span = { traceId, spanId, name: 'chat', startUnixNano: RECEIVED_AT, endUnixNano: RECEIVED_AT + 5n };
  const request = requestBytes({ scope: { name: 'outrider.sidecar' }, spans: [span] });
  return opened.segment(`${String(drawn).padStart(12, '0')}-00c0ffee`, [request], 'scout/host-1');
}

async function rowsOf({ id }: Segment): Promise<number> {
  const [row] = await opened.store.query<{ rows: string }>(
    'SELECT count() AS rows FROM otel_traces WHERE SegmentId = {id:String}',
    { id },
  );
  return Number(row!.rows);
}

describe('a load', () => {
  test('is one POST: settings in the URL, the statement and behind it the very bytes of the segment', async () => {
    const one = segment();
    expect(await opened.store.load(one)).toEqual({ items: 1 });
    const sent = double.requests.find(({ body }) => body.includes('FORMAT Protobuf'))!;
    const insert = loadStatements({ id: one.id, source: { from: 'body' } })[0]!.insert;
    expect(insert.endsWith('\nFORMAT Protobuf')).toBe(true);
    expect(insert).toContain("FROM input('resource_spans Array(");
    expect(sent.body).toEqual(Buffer.concat([Buffer.from(`${insert}\n`), readFileSync(one.path)]));
    const { host, ...headers } = sent.headers;
    const head = {
      method: sent.method,
      url: sent.url.split(/[?&]/),
      headers: { ...headers, 'content-length': '' },
    };
    await expect(`${JSON.stringify(head, null, 2)}\n`).toMatchFileSnapshot(
      '../golden/clickhouse/load-request.json',
    );
  });

  test.each<[string, Fate]>([
    ['whose answer is lost on the way', 'done, unanswered'],
    ['that never reaches the server', 'broken off'],
    ['that finds too little memory (241)', 241],
    ['that finds too many parts (252)', 252],
    ['that finds too many queries (202)', 202],
    ['that a page for people answers', { says: '<!doctype html><title>Back soon</title>' }],
    [
      'whose exception comes behind a 200',
      { says: '\r\n__exception__\r\nab\r\nCode: 252. DB::Exception: parts\n' },
    ],
  ])('%s is in doubt, and comes again: it is stored once', async (_how, fate) => {
    const one = segment();
    double.next(`'${one.id}'`, fate);
    await expect(opened.store.load(one)).rejects.toThrow(StoreUnavailable);
    expect(await opened.store.load(one)).toEqual({ items: 1 });
    expect(await opened.store.load(one)).toEqual({ items: 1 });
    expect(await rowsOf(one)).toBe(1);
    expect(opened.store.isOpen()).toBe(true);
  });

  test('that takes long keeps no query waiting', async () => {
    const one = segment();
    const slow = Promise.withResolvers<void>();
    double.next(`'${one.id}'`, slow.promise);
    const loading = opened.store.load(one);
    expect(await rowsOf(one)).toBe(0);
    slow.resolve();
    expect(await loading).toEqual({ items: 1 });
  });

  test.each([
    [164, 'a user who may only read'],
    [497, 'a user who may not insert'],
    [60, 'a table that somebody dropped'],
    [115, 'a setting that the server does not know'],
  ])('refused with %i, %s, is not tried again for a minute, and named as missing', async (code) => {
    const one = segment();
    double.next(`'${one.id}'`, code);
    await expect(opened.store.load(one)).rejects.toThrow(StoreRefuses);
    expect(opened.store.isOpen()).toBe(false);
    expect(said.join()).toContain('store_refuses');
    const asked = double.requests.length;
    clock.advance(59_000);
    await expect(opened.store.load(one)).rejects.toThrow(StoreRefuses);
    expect(double.requests).toHaveLength(asked);
    clock.advance(1_000);
    expect(await opened.store.load(one)).toEqual({ items: 1 });
    expect(opened.store.isOpen()).toBe(true);
  });
});

describe('what is asked', () => {
  test('comes back exact: money and 64-bit numbers as text, times in UTC', async () => {
    const [row] = await opened.store.query<Record<string, unknown>>(
      "SELECT 9007199254740993 AS n, toDecimal64('90071992.547409931', 9) AS usd, toString(toDateTime(0)) AS at, {who:String} AS who",
      { who: "a'b\n" },
    );
    expect(row).toEqual({
      n: '9007199254740993',
      usd: '90071992.547409931',
      at: '1970-01-01 00:00:00',
      who: "a'b\n",
    });
  });
});

describe('a server', () => {
  test('that does not answer at the start keeps nobody waiting, and is brought forward when it does', async () => {
    double.next('serverTimezone', 'broken off');
    const late = await openServerTestStore({ url: await double.database(), log });
    expect(late.store.isOpen()).toBe(false);
    expect(said.join()).toContain('store_lost');
    expect(await late.store.query('SELECT count() AS rows FROM actions')).toEqual([{ rows: '0' }]);
    expect(late.store.isOpen()).toBe(true);
    expect(said.join()).toContain('store_back');
    await late.close();
  });

  test('with another password is refused in a sentence that holds none', async () => {
    const url = (await double.database()).replace('correct%20horse', 'never-repeated');
    const refused = openServerTestStore({ url, log });
    await expect(refused).rejects.toThrow(
      /^The ClickHouse of store\.clickhouse \(127\.0\.0\.1:\d+\/fleet_\d+\) can't be used: /,
    );
    await expect(refused).rejects.not.toThrow('never-repeated');
    expect(said.join()).not.toContain('never-repeated');
  });

  test.each([
    ['25.8.1.5101', 'UTC', /ClickHouse 25\.8\.1\.5101, and 26\.3/],
    ['26.2.9.1', 'UTC', /26\.3 is the oldest/],
    ['26.3.1.1', 'Europe/Berlin', /timezone is Europe\/Berlin/],
    ['26.3.1.1', 'UTC', null],
    ['27.1.1.1', 'Etc/UTC', null],
  ])('of version %s in %s', async (version, timezone, refusal) => {
    const asked = refuseUnfit({ query: <T>() => Promise.resolve([{ version, timezone }] as T[]) });
    await (refusal ? expect(asked).rejects.toThrow(refusal) : expect(asked).resolves.toBeUndefined());
  });

  test('by TLS is trusted when its authority is, and is away when it is not', async () => {
    const { authorityPem, certificatePem, keyPem } = await makeServerCertificate();
    const secure = await startDouble({ tls: { key: keyPem, cert: certificatePem } });
    const before = getCACertificates('default');
    try {
      const distrusted = await openServerTestStore({ url: secure.url, log });
      expect(distrusted.store.isOpen()).toBe(false);
      await distrusted.close();
      setDefaultCACertificates([...before, authorityPem]);
      const trusted = await openServerTestStore({ url: secure.url, asFound: true });
      expect(await trusted.store.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await trusted.close();
    } finally {
      setDefaultCACertificates(before);
      await secure.stop();
    }
  });
});

test.each([
  [
    'http://ch:8123',
    { origin: 'http://ch:8123', user: 'default', database: 'default', name: 'ch:8123/default' },
  ],
  [
    'https://a%40b:p%2Fw@ch.example/fleet',
    { user: 'a@b', password: 'p/w', database: 'fleet', name: 'ch.example:443/fleet' },
  ],
])('the URL %s', (url, place) => {
  expect(readPlace(url)).toMatchObject(place);
});

test.each(['ch:8123', 'tcp://ch:9000/x', 'http://ch/a/b'])(
  '%s is no URL of a ClickHouse, and is not repeated',
  (url) => {
    expect(() => readPlace(url)).toThrow(/^store\.clickhouse is not a URL; write https:/);
  },
);
