import { createConnection } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type Appended, createIntake, type IntakeOptions } from '../../../collector/receive/intake.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import {
  createHttpReceiver,
  type HttpReceiverOptions,
  type Receiver,
} from '../../../collector/receive/otlp-http.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { ownNames } from '../../../kit/own-names.ts';
import { nestedRequest, requestOf, spanIdOf, TRACE_ID } from './otlp-messages.ts';

const DIGEST = Buffer.alloc(32, 7);

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const MEBIBYTE = 1024 * 1024;

interface Kept {
  readonly request: Buffer;
  readonly signal: string;
  readonly items: number;
  readonly sender: string;
}

const open: Receiver[] = [];
afterEach(async () => {
  for (const receiver of open.splice(0)) await receiver.close();
});

async function receive(options: Partial<IntakeOptions & HttpReceiverOptions> = {}) {
  const kept: Kept[] = [];
  const intake = createIntake({
    authenticate: (token) => (token === null ? '' : token === 'right' ? 'trend-scout/host-1' : null),
    append: async (request, from): Promise<Appended> => {
      kept.push({ request, ...from });
      return { kind: 'stored', digest: DIGEST };
    },
    log: silentLog,
    clock: systemClock,
    ...options,
  });
  const door = await createHttpReceiver({
    listen: '127.0.0.1:0',
    intake,
    names: ownNames(['collector.internal'], false),
    allowedOrigins: [],
    clock: systemClock,
    ...options,
  });
  const receiver = { url: door.url, counters: intake.counters, close: () => door.close() };
  open.push(receiver);
  const post = (body: Buffer | string, headers: Record<string, string> = {}, path = '/v1/traces') =>
    fetch(receiver.url + path, {
      method: 'POST',
      body,
      headers: { 'content-type': PROTOBUF, connection: 'close', ...headers },
    });
  return { receiver, kept, post };
}

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe('what the door takes', () => {
  it('protobuf: stored as it came, answered with nothing', async () => {
    const { kept, post } = await receive();
    const request = requestOf([{}, { spanId: spanIdOf(1) }]);
    const response = await post(request);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(PROTOBUF);
    expect((await bytesOf(response)).length).toBe(0);
    expect(kept).toEqual([{ request, signal: 'traces', items: 2, sender: '', chains: [] }]);
  });

  it('JSON: stored as protobuf, answered in JSON', async () => {
    const { kept, post } = await receive();
    const span = {
      traceId: TRACE_ID,
      spanId: spanIdOf(0),
      name: 'chat gpt-5-mini',
      kind: 3,
      startTimeUnixNano: '1760000000000000000',
      endTimeUnixNano: 1760000000250000000,
      attributes: [{ key: 'gen_ai.request.model', value: { stringValue: 'gpt-5-mini' } }],
    };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    const response = await post(body, { 'content-type': 'application/json; charset=utf-8' });
    expect(response.headers.get('content-type')).toBe(JSON_TYPE);
    expect(await response.json()).toEqual({});
    expect(kept[0]?.request).toEqual(requestOf([{}]));
  });

  it('gzip of either', async () => {
    const { kept, post } = await receive();
    const request = requestOf([{}]);
    expect((await post(gzipSync(request), { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(kept[0]?.request).toEqual(request);
  });

  it.each([PROTOBUF, JSON_TYPE])('nothing at all, as %s: 200, nothing stored', async (type) => {
    const { kept, post } = await receive();
    expect((await post('', { 'content-type': type })).status).toBe(200);
    expect((await post('', { 'content-type': type, 'content-encoding': 'gzip' })).status).toBe(200);
    expect(kept).toEqual([]);
  });

  it('good spans beside a bad one: 200, and says how many were left out', async () => {
    const { receiver, kept, post } = await receive();
    const spans = [{}, {}, {}, { spanId: '00' }];
    const response = await bytesOf(await post(requestOf(spans)));
    expect(response.subarray(0, 1)).toEqual(Buffer.from([0x0a]));
    expect(response.subarray(2, 4)).toEqual(Buffer.from([0x08, 1]));
    expect(response.toString()).toContain('were left out');
    const asJson = await post(
      JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'no ids' }] }] }] }),
      { 'content-type': JSON_TYPE },
    );
    expect(await asJson.json()).toMatchObject({ partialSuccess: { rejectedSpans: '1' } });
    expect(kept.map((each) => each.items)).toEqual([4, 1]);
    expect(receiver.counters).toMatchObject({ requests: 2, items: { traces: 5 }, badIds: 2 });
  });

  it.each([
    ['logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ eventName: 'a' }, {}] }] }] }, 2],
    ['metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{}] } }] }] }] }, 1],
  ] as const)('%s: as protobuf, as JSON, gzipped', async (signal, request, items) => {
    const { kept, post, receiver } = await receive();
    const json = Buffer.from(JSON.stringify(request));
    const protobuf = jsonToProtobuf(signal, json);
    const path = `/v1/${signal}`;
    for (const answer of [
      await post(protobuf, {}, path),
      await post(json, { 'content-type': JSON_TYPE }, path),
      await post(gzipSync(protobuf), { 'content-encoding': 'gzip' }, path),
    ])
      expect(answer.status).toBe(200);
    expect(kept).toEqual(
      Array.from({ length: 3 }, () => ({ request: protobuf, signal, items, sender: '', chains: [] })),
    );
    expect(receiver.counters.taken).toEqual({ traces: 0, logs: 0, metrics: 0, [signal]: 3 });
    expect(receiver.counters.items.traces).toBe(0);
  });

  it('the same bytes again: 200, as the queue says', async () => {
    const { receiver, post } = await receive({ append: async () => ({ kind: 'duplicate', digest: DIGEST }) });
    expect((await post(requestOf([{}]))).status).toBe(200);
    expect(receiver.counters).toMatchObject({ stored: 0, duplicates: 1 });
  });

  it('a receipt: the digest by which the log is asked for it, also of what was known; none of nothing', async () => {
    const { post } = await receive();
    const receipt = async (body: Buffer) => (await post(body)).headers.get('x-outrider-receipt');
    expect(await receipt(requestOf([{}]))).toBe(`sha256:${DIGEST.toString('hex')}`);
    expect(await receipt(Buffer.alloc(0))).toBeNull();
    const again = await receive({ append: async () => ({ kind: 'duplicate', digest: DIGEST }) });
    const { headers } = await again.post(requestOf([{}]));
    expect(headers.get('x-outrider-receipt')).toBe(`sha256:${DIGEST.toString('hex')}`);
  });

  it('names the sender by its token', async () => {
    const { kept, post } = await receive();
    await post(requestOf([{}]), { authorization: 'bearer right' });
    expect(kept[0]?.sender).toBe('trend-scout/host-1');
  });
});

describe('what the door refuses', () => {
  const cases = [
    ['a truncated message', { body: requestOf([{}]).subarray(0, 40) }, 400],
    ['values nested 1,000 deep', { body: nestedRequest(1_000) }, 400],
    ['a receipt of its own', { body: Buffer.from('c23e00', 'hex') }, 400],
    ['a gRPC frame', { body: Buffer.from('000000000a0a00', 'hex') }, 400],
    ['JSON that is not', { body: '{', type: JSON_TYPE }, 400],
    ['an enum by name', { body: spanJson({ kind: 'SPAN_KIND_CLIENT' }), type: JSON_TYPE }, 400],
    ['base64 ids', { body: spanJson({ traceId: 'W47/95gDgQPSabYzgT/GDA==' }), type: JSON_TYPE }, 400],
    ['what is not gzip', { body: 'plain', headers: { 'content-encoding': 'gzip' } }, 400],
    [
      'gzip cut short',
      { body: gzipSync('x'.repeat(999)).subarray(0, 20), headers: { 'content-encoding': 'gzip' } },
      400,
    ],
    ['a wrong token', { headers: { authorization: 'Bearer wrong' } }, 401],
    ['another scheme than Bearer', { headers: { authorization: 'Basic cmlnaHQ6' } }, 401],
    ['another path', { path: '/v1/trace' }, 404],
    ['spans sent as logs', { path: '/v1/logs' }, 400],
    ['spans sent as metrics', { path: '/v1/metrics' }, 400],
    ['gRPC', { type: 'application/grpc' }, 415],
    ['no known type', { type: 'text/plain' }, 415],
    ['brotli', { headers: { 'content-encoding': 'br' } }, 415],
    ['two encodings', { headers: { 'content-encoding': 'gzip, gzip' } }, 415],
  ] as const;

  it.each(cases)('%s', async (_name, request, status) => {
    const { kept, post, receiver } = await receive();
    const {
      body = requestOf([{}]),
      type = PROTOBUF,
      headers = {},
      path = '/v1/traces',
    } = request as {
      body?: Buffer | string;
      type?: string;
      headers?: Record<string, string>;
      path?: string;
    };
    const response = await post(body, { 'content-type': type, ...headers }, path);
    expect(response.status).toBe(status);
    expect((await bytesOf(response)).toString()).toMatch(/\w+ \w+ \w+/);
    expect(kept).toEqual([]);
    expect(receiver.counters.refused).toEqual({ [status]: 1 });
  });

  it('another method than POST', async () => {
    const { receiver } = await receive();
    const response = await fetch(`${receiver.url}/v1/traces`);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  it('in words, as google.rpc.Status in the encoding of the request', async () => {
    const { post } = await receive();
    const asJson = await post('[]', { 'content-type': JSON_TYPE });
    const message = 'the body must be an object';
    const violation = { field: 'the body', description: message };
    const details = [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [violation] }];
    expect(await asJson.json()).toEqual({ code: 3, message, details });
    const asProtobuf = await bytesOf(await post(Buffer.from([0x0a])));
    expect(asProtobuf.subarray(0, 3)).toEqual(Buffer.from([0x08, 3, 0x12]));
    expect(asProtobuf.toString()).toContain('truncated at byte 1');
  });

  it('one byte more than the limit, announced or not', async () => {
    const { kept, post, receiver } = await receive({ bodyBytesMax: MEBIBYTE });
    expect((await post(Buffer.alloc(MEBIBYTE + 1))).status).toBe(413);
    const unannounced = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent <= MEBIBYTE; sent += 65_536) controller.enqueue(new Uint8Array(65_536));
        controller.close();
      },
    });
    const init = { method: 'POST', body: unannounced, duplex: 'half', headers: { 'content-type': PROTOBUF } };
    expect((await fetch(`${receiver.url}/v1/traces`, init as RequestInit)).status).toBe(413);
    expect(kept).toEqual([]);
  });

  it('a bomb: 1 MiB of gzip that unpacks to 1 GiB', async () => {
    const { kept, post } = await receive();
    const member = gzipSync(Buffer.alloc(16 * MEBIBYTE));
    const bomb = Buffer.concat(Array.from({ length: 64 }, () => member));
    const before = process.memoryUsage().rss;
    expect(bomb.length).toBeGreaterThan(MEBIBYTE / 2);
    expect((await post(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MEBIBYTE);
    expect(kept).toEqual([]);
  });
});

describe('when the queue cannot take it', () => {
  it('says 503 and when to come back', async () => {
    const { post } = await receive({ append: async () => ({ kind: 'refused', reason: 'the disk is full' }) });
    const response = await post(requestOf([{}]));
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect((await bytesOf(response)).toString()).toContain('the disk is full');
  });

  it('says 503 for a failure nobody foresaw, since exporters drop on any other 5xx', async () => {
    const { post } = await receive({ append: () => Promise.reject(new Error('secret detail')) });
    const response = await post(requestOf([{}]));
    expect(response.status).toBe(503);
    expect((await bytesOf(response)).toString()).not.toContain('secret detail');
  });
});

describe('a connection that misbehaves', () => {
  it('hangs up in the middle of a body: nothing is stored, the next one is served', async () => {
    const { kept, post, receiver } = await receive();
    const { port } = new URL(receiver.url);
    const socket = createConnection(Number(port), '127.0.0.1');
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: 1000\r\n\r\nabc`,
      () => socket.destroy(),
    );
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await post(requestOf([{}]))).status).toBe(200);
    expect(kept.length).toBe(1);
  });

  it('speaks HTTP/2 without asking: 400', async () => {
    const { receiver } = await receive();
    const { port } = new URL(receiver.url);
    const socket = createConnection(Number(port), '127.0.0.1');
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const [answer] = (await new Promise((resolve) => {
      socket.once('data', (data) => resolve([String(data)]));
    })) as [string];
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
  });

  it('closing answers what was begun and hangs up on the idle', async () => {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { receiver } = await receive({
      append: async () => {
        begun.resolve();
        await gate.promise;
        return { kind: 'stored', digest: DIGEST };
      },
    });
    const answer = fetch(`${receiver.url}/v1/traces`, {
      method: 'POST',
      body: requestOf([{}]),
      headers: { 'content-type': PROTOBUF },
    });
    await begun.promise;
    const closed = receiver.close();
    gate.resolve();
    expect((await answer).status).toBe(200);
    await closed;
    await expect(fetch(receiver.url)).rejects.toThrow();
  });
});

function spanJson(span: Record<string, unknown>): string {
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
}
