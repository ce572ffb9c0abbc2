import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { compressionAlgorithms, credentials, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Appended, createIntake, type IntakeOptions } from '../../../collector/receive/intake.ts';
import { jsonToProtobuf } from '../../../collector/receive/json-to-protobuf.ts';
import { createGrpcReceiver } from '../../../collector/receive/otlp-grpc.ts';
import { systemClock } from '../../../kit/clock.ts';
import { PortUnavailable } from '../../../kit/listen.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { nestedRequest, requestOf } from './otlp-messages.ts';

const DIGEST = Buffer.alloc(32, 7);

const SERVICES = {
  traces: 'trace.v1.TraceService',
  logs: 'logs.v1.LogsService',
  metrics: 'metrics.v1.MetricsService',
};
type Service = keyof typeof SERVICES;
const MEBIBYTE = 1024 * 1024;

/** What an RPC ended with; code 0 is a success. */
interface Ended {
  readonly code: number;
  readonly words: string;
  /** Of `grpc-status-details-bin`: the bytes of a google.rpc.Status. */
  readonly details: string | undefined;
  readonly response: Buffer | undefined;
  /** In the trailing metadata. */
  readonly receipt: string | undefined;
}

interface Sending {
  readonly service?: Service;
  readonly method?: string;
  readonly authorization?: string;
  readonly compressed?: boolean;
}

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function receive(options: Partial<IntakeOptions> = {}) {
  const { clock = systemClock } = options;
  const kept: { readonly request: Buffer; readonly signal: string; readonly sender: string }[] = [];
  const intake = createIntake({
    authenticate: (token) => (token === null ? '' : token === 'right' ? 'trend-scout/host-1' : null),
    append: async (request, { signal, sender }): Promise<Appended> => {
      kept.push({ request, signal, sender });
      return { kind: 'stored', digest: DIGEST };
    },
    log: silentLog,
    clock: systemClock,
    ...options,
  });
  const door = await createGrpcReceiver({ listen: '127.0.0.1:0', intake, clock, log: silentLog });
  open.push(door);
  return { kept, intake, door, send: clientOf(new URL(door.url).host) };
}

function clientOf(address: string) {
  const Client = makeGenericClientConstructor({}, 'otlp');
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.default_compression_algorithm': compressionAlgorithms.identity,
  });
  const zipping = new Client(address, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  });
  open.push(client, zipping);
  return (body: Buffer, sending: Sending = {}): Promise<Ended> => {
    const { service = 'traces', method = 'Export', authorization, compressed = false } = sending;
    const metadata = new Metadata();
    if (authorization !== undefined) metadata.set('authorization', authorization);
    const path = `/opentelemetry.proto.collector.${SERVICES[service]}/${method}`;
    const asIs = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve) => {
      const by = compressed ? zipping : client;
      let response: Buffer | undefined;
      const call = by.makeUnaryRequest(path, asIs, asIs, body, metadata, (_failure, answer) => {
        response = answer;
      });
      call.on('status', ({ code, details: words, metadata: trailers }) => {
        const details = trailers.get('grpc-status-details-bin')[0]?.toString();
        const receipt = trailers.get('x-outrider-receipt')[0]?.toString();
        resolve({ code, words: code === OK ? '' : words, details, response, receipt });
      });
    });
  };
}

const OK = 0;
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

describe('what gRPC takes', () => {
  it.each([
    ['traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'x' }] }] }] }],
    ['logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ eventName: 'a' }] }] }] }],
    ['metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{}] } }] }] }] }],
  ] as const)('%s, plain and gzipped, as they came', async (service, request) => {
    const { kept, intake, send } = await receive();
    const body = jsonToProtobuf(service, Buffer.from(JSON.stringify(request)));
    for (const compressed of [false, true])
      expect((await send(body, { service, compressed, authorization: 'Bearer right' })).code).toBe(OK);
    const from = { signal: service, sender: 'trend-scout/host-1' };
    expect(kept).toEqual([
      { request: body, ...from },
      { request: body, ...from },
    ]);
    expect(intake.counters.taken).toEqual({ traces: 0, logs: 0, metrics: 0, [service]: 2 });
  });

  it('is answered with a receipt in the trailing metadata, also of what was known; none of nothing', async () => {
    const { send } = await receive();
    const receipt = `sha256:${DIGEST.toString('hex')}`;
    expect(await send(requestOf([{}]))).toMatchObject({ code: OK, receipt });
    expect(await send(Buffer.alloc(0))).toMatchObject({ code: OK, receipt: undefined });
    const again = await receive({ append: async () => ({ kind: 'duplicate', digest: DIGEST }) });
    expect(await again.send(requestOf([{}]))).toMatchObject({ code: OK, receipt });
  });

  it('COL-20 nothing at all: success, nothing stored, nothing said', async () => {
    const { kept, send } = await receive();
    expect(await send(Buffer.alloc(0))).toMatchObject({ code: OK, response: Buffer.alloc(0) });
    expect(kept).toEqual([]);
  });

  it('COL-21 good spans beside a bad one: success, and how many were left out', async () => {
    const { send } = await receive();
    const { code, response } = await send(requestOf([{}, {}, {}, { spanId: '00' }]));
    expect(code).toBe(OK);
    expect(response?.subarray(2, 4)).toEqual(Buffer.from([0x08, 1]));
    expect(response?.toString()).toContain('1 spans have a missing, zero or wrongly sized trace or span id');
  });
});

describe('what gRPC refuses', () => {
  it('COL-22 what is not OTLP: INVALID_ARGUMENT, and where', async () => {
    const { kept, intake, send } = await receive();
    for (const body of [
      requestOf([{}]).subarray(0, 40),
      nestedRequest(1_000),
      Buffer.from('c23e00', 'hex'),
    ]) {
      const { code, words, details } = await send(body);
      expect(code).toBe(INVALID_ARGUMENT);
      expect(words).toMatch(/ExportTraceServiceRequest|nested deeper/);
      expect(details).toContain('type.googleapis.com/google.rpc.BadRequest');
    }
    expect(kept).toEqual([]);
    expect(intake.counters.refused).toEqual({ 400: 3 });
  });

  it('a wrong token: UNAUTHENTICATED', async () => {
    const { kept, send } = await receive();
    const refused = await send(requestOf([{}]), { authorization: 'Bearer wrong' });
    expect(refused).toMatchObject({ code: UNAUTHENTICATED, response: undefined });
    expect(refused.details).not.toContain('RetryInfo');
    expect(kept).toEqual([]);
  });

  it('another method: UNIMPLEMENTED', async () => {
    const { send } = await receive();
    expect((await send(requestOf([{}]), { method: 'Import' })).code).toBe(UNIMPLEMENTED);
  });

  it('COL-24 more than 4 MiB, plain or unpacked: RESOURCE_EXHAUSTED, not to be sent again', async () => {
    const { kept, intake, send } = await receive();
    for (const compressed of [false, true]) {
      const refused = await send(Buffer.alloc(4 * MEBIBYTE + 1), { compressed });
      expect(refused).toMatchObject({ code: RESOURCE_EXHAUSTED, details: undefined });
    }
    expect(intake.counters.refused).toEqual({ 413: 2 });
    expect(kept).toEqual([]);
  });

  it('when the queue cannot take it: waits, for exporters do not come back, then says UNAVAILABLE and when', async () => {
    const clock = manualClock();
    let tries = 0;
    const { send } = await receive({
      clock,
      append: async () => {
        tries += 1;
        return { kind: 'refused', reason: 'the disk is full' };
      },
    });
    const answer = send(requestOf([{}]));
    for (let seen = 1; seen <= 33; seen += 1) {
      await vi.waitFor(() => expect(tries).toBe(seen), 20_000);
      clock.advance(250);
    }
    const { code, words, details } = await answer;
    expect([code, words]).toEqual([UNAVAILABLE, 'the disk is full']);
    expect(details).toContain('type.googleapis.com/google.rpc.RetryInfo');
  });

  it('a failure nobody foresaw: UNAVAILABLE without its words', async () => {
    const { send } = await receive({ append: () => Promise.reject(new Error('secret detail')) });
    const { code, words } = await send(requestOf([{}]));
    expect(code).toBe(UNAVAILABLE);
    expect(words).not.toContain('secret');
  });
});

describe('a gRPC connection', () => {
  it('that speaks HTTP/1.1 is hung up on, and the next is served', async () => {
    const { door, send } = await receive();
    const socket = connect(Number(new URL(door.url).port), '127.0.0.1');
    socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await send(requestOf([{}]))).code).toBe(OK);
  });

  it('with calls that bring nothing keeps nobody else out for long', async () => {
    const clock = manualClock();
    const { door, intake, send } = await receive({ clock });
    const idle = connectHttp2(door.url);
    open.push({ close: () => idle.destroy() });
    const head = {
      ':method': 'POST',
      ':path': `/opentelemetry.proto.collector.${SERVICES.traces}/Export`,
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const refusals = Array.from({ length: 5 }, () => {
      const stream = idle.request(head).on('error', () => undefined);
      return new Promise((resolve) => stream.once('response', (headers) => resolve(headers['grpc-status'])));
    });
    await vi.waitFor(() => expect(intake.counters.requests).toBe(5), 20_000);
    clock.advance(8_000);
    expect(await Promise.race(refusals)).toBe(String(UNAVAILABLE)); // the fifth, who found no room to be read
    clock.advance(2_000);
    expect(await Promise.all(refusals)).toEqual(Array(5).fill(String(UNAVAILABLE)));
    expect(intake.counters.refused).toEqual({ 503: 5 });
    expect((await send(requestOf([{}]))).code).toBe(OK);
  });

  it('closing answers what was begun', async () => {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { door, send } = await receive({
      append: async () => {
        begun.resolve();
        await gate.promise;
        return { kind: 'stored', digest: DIGEST };
      },
    });
    const answer = send(requestOf([{}]));
    await begun.promise;
    const closed = door.close();
    gate.resolve();
    expect((await answer).code).toBe(OK);
    await closed;
  });

  it('cannot be had where the port is taken, and the key to change is named', async () => {
    const { door, intake } = await receive();
    const listen = new URL(door.url).host;
    const again = createGrpcReceiver({ listen, intake, clock: systemClock, log: silentLog });
    await expect(again).rejects.toThrow(PortUnavailable);
    await expect(again).rejects.toThrow('set `listen.otlp_grpc` to another port');
  });
});
