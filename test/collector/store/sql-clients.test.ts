// What dashboards and clients ask, over rows: each question is answered, and not with nothing. The statements are our own,
// in the shapes that arrive from Grafana's ClickHouse data source (panels, variables, its builder and editor) and from
// HyperDX, with their macros filled in: the same clauses, functions, quoting, parameters and settings.

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { type OpenedStore, openTestStore, RECEIVED_AT } from './open.ts';
import { requestBytes, type Span } from './otlp.ts';

interface Asked {
  readonly id: string;
  readonly statement: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
}

const ASKED = readFileSync(new URL('../../cases/sql-clients.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Asked);

const SECOND = 1_000_000_000n;
/** On a whole minute, so that the two versions of a service stand in different half minutes of it. */
const AT = (RECEIVED_AT / (60n * SECOND) - 2n) * 60n * SECOND;
const TRACE = '5b8efff798038103d269b633813fc60c';
const KINDS = { internal: 1, server: 2, client: 3, producer: 4 } as const;
/** One of the five-hundredth of all ids that a panel draws, by their hash. */
const DRAWN = Buffer.from('00000000000001c1', 'hex');
const ERROR = { code: 2, message: 'no such page' };

let opened: OpenedStore;
beforeAll(async () => {
  opened = await openTestStore();
  await load('00c0ffee', [traces('shop', '1.0.0', AT), traces('shop', '1.1.0', AT + 45n * SECOND), cart()]);
  await load('00c0ffee-logs', [jsonToProtobuf('logs', Buffer.from(JSON.stringify(LOGS)))]);
  await load('00c0ffee-metrics', [jsonToProtobuf('metrics', Buffer.from(JSON.stringify(METRICS)))]);
});
afterAll(() => opened.close());

async function load(name: string, requests: readonly Buffer[]): Promise<void> {
  const loaded = await opened.store.load(opened.segment(`000000000001-${name}`, requests));
  expect(loaded.items, name).toBeGreaterThan(0);
}

function span(name: string, id: number, kind: number, startUnixNano: bigint, more: Partial<Span> = {}): Span {
  return {
    traceId: Buffer.from(TRACE, 'hex'),
    spanId: Buffer.alloc(8, id),
    name,
    kind,
    startUnixNano,
    endUnixNano: startUnixNano + 1_500_000n,
    attributes: { 'http.method': 'GET', 'http.status_code': '404' },
    ...more,
  };
}

/** Server, client, internal and producer spans of one service, half of them failed; other ids at another time. */
function traces(service: string, version: string, startUnixNano: bigint): Buffer {
  const first = startUnixNano === AT ? 1 : 50;
  const parentSpanId = Buffer.alloc(8, first);
  const spans = [
    span('GET /', first, KINDS.server, startUnixNano, { status: ERROR }),
    span('SELECT', first + 1, KINDS.client, startUnixNano, { parentSpanId, status: ERROR }),
    span('work', first + 2, KINDS.internal, startUnixNano, { parentSpanId }),
    span('send', first + 3, KINDS.producer, startUnixNano, {
      parentSpanId,
      events: [{ name: 'sent', atUnixNano: startUnixNano, attributes: { to: 'cart' } }],
      links: [{ traceId: Buffer.alloc(16, 9), spanId: Buffer.alloc(8, 9) }],
    }),
    span('work', 0, KINDS.internal, startUnixNano, { spanId: DRAWN, parentSpanId }),
  ];
  return requestBytes({ resource: { 'service.name': service, 'service.version': version }, spans });
}

function cart(): Buffer {
  const called = span('POST /cart', 30, KINDS.server, AT, { parentSpanId: Buffer.alloc(8, 2) });
  return requestBytes({ resource: { 'service.name': 'cart' }, spans: [called] });
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const resource = { attributes: [text('service.name', 'shop'), text('k8s.pod.name', 'shop-1')] };
const log = (severityText: string, body: string) => ({
  timeUnixNano: String(AT),
  severityText,
  body: { stringValue: body },
  traceId: TRACE,
  spanId: '0101010101010101',
});
const LOGS = {
  resourceLogs: [
    {
      resource,
      scopeLogs: [{ logRecords: [log('ERROR', 'slow answer userId=7'), log('INFO', 'all is well')] }],
    },
  ],
};

const points = (of: (at: number) => object) =>
  [0, 1, 2].map((at) => ({
    timeUnixNano: String(AT + BigInt(at) * 10n * SECOND),
    attributes: [text('host', 'a')],
    ...of(at),
  }));
const METRICS = {
  resourceMetrics: [
    {
      resource,
      scopeMetrics: [
        {
          metrics: [
            { name: 'load', gauge: { dataPoints: points((at) => ({ asDouble: at })) } },
            {
              name: 'requests',
              sum: {
                dataPoints: points((at) => ({ asInt: String(10 * at) })),
                aggregationTemporality: 2,
                isMonotonic: true,
              },
            },
            {
              name: 'latency',
              histogram: {
                dataPoints: points((at) => ({
                  count: String(3 * at),
                  sum: at,
                  bucketCounts: [String(at), String(at), String(at)],
                  explicitBounds: [1, 2],
                })),
                aggregationTemporality: 2,
              },
            },
          ],
        },
      ],
    },
  ],
};

const filled = (part: string) =>
  part
    .replaceAll('{{from}}', String(AT / SECOND - 600n))
    .replaceAll('{{to}}', String(AT / SECOND + 600n))
    .replaceAll('{{trace}}', TRACE);

function urlOf({ params = {}, settings = {} }: Partial<Asked>): URL {
  const url = new URL(opened.store.sqlUrl);
  url.searchParams.set('default_format', 'JSONCompact');
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, value);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(`param_${name}`, filled(value));
  return url;
}

test.each(ASKED)('$id', async (asked) => {
  const response = await fetch(urlOf(asked), { method: 'POST', body: filled(asked.statement) });
  const answer = await response.text();
  expect({ status: response.status, answer: response.ok ? '' : answer }).toEqual({ status: 200, answer: '' });
  expect((JSON.parse(answer) as { rows: number }).rows).toBeGreaterThan(0);
});

test('filters and limits that a client sets hold', async () => {
  const counted = async (id: string) => {
    const asked = ASKED.find((each) => each.id === id)!;
    const response = await fetch(urlOf(asked), { method: 'POST', body: filled(asked.statement) });
    return ((await response.json()) as { data: string[][] }).data.map(([first]) => first);
  };
  expect(await counted('Grafana ad hoc filter')).toEqual(['shop']);
  expect(await counted('Grafana ad hoc filter in the URL')).toEqual(['shop']);
  expect(await counted('Grafana row limit')).toHaveLength(1);
});

describe('curl', () => {
  const curl = async (...args: string[]) => (await promisify(execFile)('curl', ['-sS', ...args])).stdout;
  const statement = 'SELECT ServiceName, count() > 1 FROM otel_traces GROUP BY 1 ORDER BY 1 FORMAT CSV';

  test('asks in the URL, in the body, in both, and in a compressed body', async () => {
    const rows = '"cart",0\n"shop",1\n';
    const url = opened.store.sqlUrl;
    expect(await curl('-G', url, '--data-urlencode', `query=${statement}`)).toBe(rows);
    expect(await curl(url, '--data-binary', statement)).toBe(rows);
    expect(await curl(`${url}/?query=SELECT+1%2C`, '--data-binary', '2 FORMAT TSV')).toBe('1\t2\n');
    const zipped = `${opened.directory}/statement.gz`;
    writeFileSync(zipped, gzipSync(statement));
    expect(await curl(url, '-H', 'Content-Encoding: gzip', '--data-binary', `@${zipped}`)).toBe(rows);
  });

  test('reads a compressed answer, and sends a form', async () => {
    const url = `${opened.store.sqlUrl}/?enable_http_compression=1`;
    expect(await curl('--compressed', url, '--data-binary', statement)).toBe('"cart",0\n"shop",1\n');
    const form = ['-F', 'query=SELECT {n:UInt8} + 1 FORMAT TSV', '-F', 'param_n=41'];
    expect(await curl(opened.store.sqlUrl, ...form)).toBe('42\n');
  });

  test('fails where the door refuses, when told to', async () => {
    await expect(curl('-f', opened.store.sqlUrl, '--data-binary', 'DROP TABLE actions')).rejects.toThrow();
  });
});

describe('@clickhouse/client', () => {
  test('sends many parameters as a form, and reads a summary', async () => {
    const client = createClient({ url: opened.store.sqlUrl, use_multipart_params: true });
    const services = Array.from({ length: 3_000 }, (_, at) => `service ${at}`);
    const answer = await client.query({
      query: 'SELECT count() AS n FROM otel_traces WHERE ServiceName IN {services:Array(String)}',
      query_params: { services: [...services, 'cart'] },
      format: 'JSONEachRow',
      clickhouse_settings: { wait_end_of_query: 1 },
    });
    expect(await answer.json()).toEqual([{ n: 1 }]);
    expect(answer.response_headers['x-clickhouse-summary']).toContain('read_rows');
    await client.close();
  });
});
