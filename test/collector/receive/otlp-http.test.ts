import { connect, createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Appended, createIntake, type IntakeOptions } from '../../../collector/receive/intake.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { createHttpReceiver, type HttpReceiverOptions } from '../../../collector/receive/otlp-http.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { ownNames } from '../../../kit/own-names.ts';
import { manualClock } from '../../support/manual-clock.ts';
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

const open: { close(): Promise<void> }[] = [];
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
  const close = async () => {
    await door.close();
    await intake.close();
  };
  const receiver = { url: door.url, counters: intake.counters, close };
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

  it.each([PROTOBUF, JSON_TYPE])('COL-20 nothing at all, as %s: 200, nothing stored', async (type) => {
    const { kept, post } = await receive();
    expect((await post('', { 'content-type': type })).status).toBe(200);
    expect((await post('', { 'content-type': type, 'content-encoding': 'gzip' })).status).toBe(200);
    expect(kept).toEqual([]);
  });

  it('COL-21 good spans beside a bad one: 200, and says how many were left out', async () => {
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

  it('says when attributes were dropped that only a sidecar may give', async () => {
    const { receiver, post } = await receive();
    const span = { traceId: TRACE_ID, spanId: spanIdOf(0) };
    const attributes = [{ key: 'outrider.cost.nanodollars', value: { intValue: 1 } }];
    const body = spanJson({ ...span, attributes });
    const send = (headers: Record<string, string>) => post(body, { 'content-type': JSON_TYPE, ...headers });
    const warned = (await (await send({})).json()) as { partialSuccess: { errorMessage: string } };
    expect(Object.keys(warned.partialSuccess)).toEqual(['errorMessage']);
    expect(warned.partialSuccess.errorMessage).toContain('1 attributes named outrider.* were dropped');
    expect(await (await send({ authorization: 'Bearer right' })).json()).toEqual({});
    expect(receiver.counters).toMatchObject({ foreign: 1, badIds: 0 });
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

describe('large OTLP/JSON, read in a thread of its own', () => {
  const spanOf = (index: number) => ({ traceId: TRACE_ID, spanId: spanIdOf(index), name: 'x'.repeat(200) });
  const bodyOf = (spans: number) =>
    JSON.stringify({
      resourceSpans: [
        { scopeSpans: [{ spans: Array.from({ length: spans }, (_, index) => spanOf(index)) }] },
      ],
    });

  it('becomes the same bytes as a small one, also when many come at once', async () => {
    const { kept, post } = await receive();
    const bodies = [300, 400, 500].map(bodyOf);
    const answers = await Promise.all(bodies.map((body) => post(body, { 'content-type': JSON_TYPE })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(kept.map(({ items }) => items)).toEqual([300, 400, 500]);
    expect(kept.map(({ request }) => request)).toEqual(
      bodies.map((body) => jsonToProtobuf('traces', Buffer.from(body))),
    );
  });

  it('is refused by its place, and the next one is taken', async () => {
    const { kept, post } = await receive();
    const wrong = bodyOf(300).replace(`"${spanIdOf(299)}"`, '7');
    const refused = await post(wrong, { 'content-type': JSON_TYPE });
    expect(refused.status).toBe(400);
    const place = 'resourceSpans[0].scopeSpans[0].spans[299].spanId';
    expect(await refused.json()).toMatchObject({ details: [{ fieldViolations: [{ field: place }] }] });
    expect((await post(bodyOf(300), { 'content-type': JSON_TYPE })).status).toBe(200);
    expect(kept.length).toBe(1);
  });

  it.each(['[', '{"a":', '[[],'])('a thicket of %s is refused before it is read', async (opening) => {
    const { post } = await receive();
    const refused = await post(opening.repeat(2_500_000), { 'content-type': JSON_TYPE });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('objects and lists');
  });
});

describe('who may call', () => {
  const PAGE = 'https://app.example';
  const preflight = (url: string, origin: string) =>
    fetch(`${url}/v1/traces`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  const called = (url: string, host: string): Promise<string> => {
    const socket = createConnection(Number(new URL(url).port), '127.0.0.1');
    socket.write(`GET /v1/traces HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    return text(socket);
  };

  it('who names no host hears so in words, and one that expects something is answered', async () => {
    const { receiver } = await receive();
    const silent = createConnection(Number(new URL(receiver.url).port), '127.0.0.1');
    silent.write('GET /v1/traces HTTP/1.1\r\nconnection: close\r\n\r\n');
    expect(await text(silent)).toMatch(
      /^HTTP\/1.1 403 [\s\S]*"code":7,"message":"this name is not served here/,
    );
    expect(await called(receiver.url, 'localhost\r\nexpect: a-miracle')).toMatch(
      /^HTTP\/1.1 405 [\s\S]*"code":12/,
    );
  });

  it('names of ours, and no other that points here', async () => {
    const { receiver } = await receive();
    for (const host of ['localhost', '127.0.0.1:4318', 'collector.internal', '[::1]:1'])
      expect(await called(receiver.url, host)).toMatch(/^HTTP\/1.1 405 /);
    for (const host of ['host.docker.internal:4318', 'HOST.containers.internal'])
      expect(await called(receiver.url, host)).toMatch(/^HTTP\/1.1 405 /);
    for (const host of ['host.docker.internal.rebound.example', 'ahost.docker.internal', 'docker.internal'])
      expect(await called(receiver.url, host)).toMatch(/^HTTP\/1.1 403 /);
    const page = 'host.docker.internal\r\norigin: http://host.docker.internal';
    expect(await called(receiver.url, page)).toMatch(/^HTTP\/1.1 403 /);
    for (const host of ['rebound.example', '192.0.2.1', 'x@localhost', 'localhost/x', ''])
      expect(await called(receiver.url, host)).toMatch(/^HTTP\/1.1 40[03] /);
  });

  it('no pages, unless their origin is named', async () => {
    const { receiver, kept, post } = await receive();
    expect((await preflight(receiver.url, PAGE)).status).toBe(403);
    expect((await post(requestOf([{}]), { origin: PAGE })).status).toBe(403);
    expect(kept).toEqual([]);
  });

  it('pages of a named origin, which ask first and may read the answer', async () => {
    const { receiver, kept, post } = await receive({ allowedOrigins: [PAGE] });
    const asked = await preflight(receiver.url, PAGE);
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-encoding, content-type',
      vary: 'origin',
    });
    const sent = await post(requestOf([{}]), { origin: PAGE });
    expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([200, PAGE]);
    expect(kept.length).toBe(1);
    expect((await preflight(receiver.url, 'https://other.example')).status).toBe(403);
  });
});

describe('what the door refuses', () => {
  const cases = [
    ['COL-22 a truncated message', { body: requestOf([{}]).subarray(0, 40) }, 400],
    ['COL-22 values nested 1,000 deep', { body: nestedRequest(1_000) }, 400],
    ['a receipt of its own', { body: Buffer.from('c23e00', 'hex') }, 400],
    ['COL-25 a gRPC frame', { body: Buffer.from('000000000a0a00', 'hex') }, 400],
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
    ['COL-25 gRPC', { type: 'application/grpc' }, 415],
    ['COL-25 no known type', { type: 'text/plain' }, 415],
    ['COL-25 brotli', { headers: { 'content-encoding': 'br' } }, 415],
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

  it('COL-24 one byte more than the limit, announced or not', async () => {
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

  it('COL-24 a bomb: 1 MiB of gzip that unpacks to 1 GiB', async () => {
    const { kept, post } = await receive();
    const member = gzipSync(Buffer.alloc(16 * MEBIBYTE));
    const bomb = Buffer.concat(Array.from({ length: 64 }, () => member));
    const before = process.memoryUsage().rss;
    expect(bomb.length).toBeGreaterThan(MEBIBYTE / 2);
    expect((await post(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * MEBIBYTE);
    expect(kept).toEqual([]);
  });
});

describe('memory', () => {
  it('holds what is unpacked until it is durable, and asks the others to come back', async () => {
    const clock = manualClock();
    const gate = Promise.withResolvers<Appended>();
    open.push({ close: async () => gate.resolve({ kind: 'stored', digest: DIGEST }) }); // also where an expectation fails
    let held = 0;
    const { post, receiver } = await receive({
      clock,
      append: () => {
        held += 1;
        return gate.promise;
      },
    });
    const name = 'x'.repeat(18 * MEBIBYTE);
    const body = gzipSync(requestOf([{ name }]));
    expect(body.length).toBeLessThan(32 * 1024);
    const before = process.memoryUsage().rss;
    const statuses: number[] = [];
    const answers = Array.from({ length: 40 }, async () => {
      const { status } = await post(body, { 'content-encoding': 'gzip' });
      statuses.push(status);
    });
    // Six of 18 MiB fit into 128 beside the room that unpacking a seventh takes.
    await vi.waitFor(() => expect([receiver.counters.requests, held]).toEqual([40, 6]), 20_000);
    await vi.waitFor(() => {
      clock.advance(3_000);
      expect(statuses.length + held).toBe(40);
    }, 20_000);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(held).toBe(6);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * MEBIBYTE);
    gate.resolve({ kind: 'stored', digest: DIGEST });
    await Promise.all(answers);
    expect(statuses.filter((status) => status === 200).length).toBe(held);
    expect((await post(body, { 'content-encoding': 'gzip' })).status).toBe(200);
  });
});

describe('those who announce much and dribble', () => {
  it('are let go within seconds, and keep nobody else out', async () => {
    const clock = manualClock();
    const { post, receiver } = await receive({ clock });
    const { port, host } = new URL(receiver.url);
    const head = `POST /v1/traces HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${PROTOBUF}\r\n`;
    const heard: string[] = [];
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.write(`${head}content-length: ${20 * MEBIBYTE}\r\n\r\n`);
      socket.write(Buffer.alloc(64 * 1024));
      socket.once('data', (answer) => heard.push(String(answer)));
      return socket;
    });
    open.unshift({ close: async () => sockets.forEach((socket) => void socket.destroy()) });
    await vi.waitFor(() => expect(receiver.counters.requests).toBe(8), 20_000);
    const statuses: number[] = [];
    const answered = post(requestOf([{ name: 'x'.repeat(MEBIBYTE) }])).then((answer) =>
      statuses.push(answer.status),
    );
    await vi.waitFor(() => {
      clock.advance(500);
      expect([statuses.length, heard.length]).toEqual([1, 8]);
    }, 20_000);
    await answered;
    expect(statuses).toEqual([200]);
    for (const answer of heard) expect(answer).toMatch(/^HTTP\/1.1 503 /);
  });

  it('may take the time that a body has, as long as they keep up', async () => {
    const clock = manualClock();
    const { kept, receiver } = await receive({ clock });
    const body = requestOf([{ name: 'x'.repeat(300 * 1024) }]);
    const { port, host } = new URL(receiver.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${PROTOBUF}\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    const answer = new Promise<string>((resolve) => socket.once('data', (text) => resolve(String(text))));
    const share = Math.ceil(body.length / 20);
    for (let at = 0; at < body.length; at += share) {
      await new Promise<void>((resolve) => socket.write(body.subarray(at, at + share), () => resolve()));
      for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      clock.advance(1_000);
    }
    expect(await answer).toMatch(/^HTTP\/1.1 200 /);
    expect(kept).toHaveLength(1);
    socket.destroy();
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
  it('brings no whole body in time: 503, for exporters drop what is answered 408', async () => {
    const clock = manualClock();
    const { receiver } = await receive({ clock });
    const socket = createConnection(Number(new URL(receiver.url).port), '127.0.0.1');
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${JSON_TYPE}\r\ncontent-length: 9\r\n\r\n{`,
    );
    const answer = text(socket);
    await vi.waitFor(() => expect(receiver.counters.requests).toBe(1), 20_000);
    clock.advance(30_000);
    await vi.waitFor(() => expect(receiver.counters.refused).toEqual({ 503: 1 }), 20_000);
    clock.advance(2_000); // and hangs up
    expect(await answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n[\s\S]*"retryDelay":"1s"/);
  });

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
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*\{"code":3,"message":"this is not HTTP\/1\.1; /);
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
