// The OTLP/HTTP door. It answers 200 only after `append` said that the bytes are durable; everything it does not take it
// refuses in words, in the sender's own encoding, with a status that makes an exporter retry exactly when that can help.
// Source: opentelemetry-proto docs/specification.md, "OTLP/HTTP".

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../../kit/clock.ts';
import { listenOn } from '../../kit/listen.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { SIGNALS, type Signal } from '../signals.ts';
import { answerFailure, answerStored, ENCODINGS, type Encoding, Unacceptable } from './answer.ts';
import { type BodyReader, createBodyReader } from './body.ts';
import { MalformedRequest, walkFraming } from './framing.ts';
import { jsonToProtobuf } from './json-to-protobuf.ts';

export const BODY_BYTES_MAX = 20 * 1024 * 1024;
export const BODY_BYTES_IN_FLIGHT_MAX = 128 * 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const TIMEOUT_CHECK_MS = 2_000;
/** Longer than the 60 s of common clients and balancers, so that it is they who let go of an idle connection. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const CONNECTIONS_MAX = 1_024;
/** How long a refused sender may go on sending, so that it reads the answer instead of a reset. */
const LINGER_MS = 2_000;

export type Appended =
  | { readonly kind: 'stored' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface ReceiverCounters {
  readonly requests: number;
  /** Requests taken, new or known already, by signal. */
  readonly taken: Readonly<Record<Signal, number>>;
  readonly stored: number;
  readonly duplicates: number;
  readonly bytes: number;
  /** Spans, log records and data points taken. */
  readonly items: Readonly<Record<Signal, number>>;
  /** Spans left out for their ids. */
  readonly badIds: number;
  /** Requests refused, by HTTP status. */
  readonly refused: Readonly<Record<number, number>>;
}

export interface Provenance {
  readonly signal: Signal;
  readonly sender: string;
  /** Spans, log records or data points in it; never 0. */
  readonly items: number;
}

export interface Receiver {
  /** `http://host:port`, with the port that was taken. */
  readonly url: string;
  readonly counters: ReceiverCounters;
  /** Takes no new connection, answers what was begun, hangs up on the idle. */
  close(): Promise<void>;
}

export interface ReceiverOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** The sender's name for a bearer token, '' for nobody; null if the token is wrong, or one is needed. */
  authenticate(token: string | null): string | null;
  append(request: Buffer, from: Provenance): Promise<Appended>;
  readonly log: Log;
  readonly clock: Clock;
  readonly bodyBytesMax?: number;
}

type Counters = { -readonly [Name in keyof ReceiverCounters]: ReceiverCounters[Name] } & {
  readonly refused: Record<number, number>;
  readonly taken: Record<Signal, number>;
  readonly items: Record<Signal, number>;
};

interface Door extends ReceiverOptions {
  readonly bodies: BodyReader;
  readonly counters: Counters;
  isClosing(): boolean;
}

/** Resolves once it listens. Throws PortUnavailable. */
export async function createReceiver(options: ReceiverOptions): Promise<Receiver> {
  const counters: Counters = {
    requests: 0,
    taken: { traces: 0, logs: 0, metrics: 0 },
    stored: 0,
    duplicates: 0,
    bytes: 0,
    items: { traces: 0, logs: 0, metrics: 0 },
    badIds: 0,
    refused: {},
  };
  const bodies = createBodyReader(options.bodyBytesMax ?? BODY_BYTES_MAX, BODY_BYTES_IN_FLIGHT_MAX);
  const door: Door = { ...options, bodies, counters, isClosing: () => !server.listening };
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    (request, response) => void answer(door, request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  const { url } = await listenOn(server, options.listen, 'listen.otlp');
  return { url, counters, close: () => closeServer(server) };
}

/** One request from its head to its answer; nothing it meets gets past here. */
async function answer(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let encoding: Encoding = 'json';
  door.counters.requests += 1;
  try {
    const signal = signalOf(request);
    encoding = encodingOf(request);
    const sender = senderOf(door, request);
    const badIds = await take(door, request, { signal, encoding, sender });
    response.shouldKeepAlive &&= !door.isClosing();
    answerStored(response, encoding, badIds);
  } catch (failure) {
    if (request.destroyed && !request.complete) return; // it hung up: nobody is left to hear anything
    const refusal = refusalOf(door, failure);
    door.counters.refused[refusal.status] = (door.counters.refused[refusal.status] ?? 0) + 1;
    letFinish(door.clock, request);
    response.shouldKeepAlive &&= !door.isClosing();
    answerFailure(response, encoding, refusal);
  }
}

interface Head {
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly sender: string;
}

/** Reads, checks and stores one request; returns how many of its spans are left out. */
async function take(
  door: Door,
  request: IncomingMessage,
  { signal, encoding, sender }: Head,
): Promise<number> {
  const body = await door.bodies.read(request);
  const message = encoding === 'json' && body.length > 0 ? jsonToProtobuf(signal, body) : body;
  const { items, badIds } = walkFraming(signal, message);
  if (items > 0) await store(door, message, { signal, sender, items });
  door.counters.taken[signal] += 1;
  door.counters.bytes += body.length;
  door.counters.items[signal] += items;
  door.counters.badIds += badIds;
  return badIds;
}

async function store(door: Door, message: Buffer, from: Provenance): Promise<void> {
  const appended = await door.append(message, from);
  if (appended.kind === 'refused') throw new Unacceptable(503, appended.reason);
  if (appended.kind === 'stored') door.counters.stored += 1;
  else door.counters.duplicates += 1;
}

function signalOf(request: IncomingMessage): Signal {
  const path = (request.url ?? '').split('?', 1)[0]!;
  const signal = SIGNALS.find((each) => path === `/v1/${each}`);
  if (!signal)
    throw new Unacceptable(404, 'send spans to /v1/traces, log records to /v1/logs, metrics to /v1/metrics');
  if (request.method !== 'POST') throw new Unacceptable(405, `${path} takes POST only`);
  return signal;
}

function encodingOf(request: IncomingMessage): Encoding {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === ENCODINGS.protobuf) return 'protobuf';
  if (type === ENCODINGS.json) return 'json';
  throw new Unacceptable(415, `the content-type must be ${ENCODINGS.protobuf} or ${ENCODINGS.json}`);
}

function senderOf(door: Door, request: IncomingMessage): string {
  const { authorization } = request.headers;
  const token = authorization === undefined ? null : (/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '');
  const sender = door.authenticate(token);
  if (sender === null)
    throw new Unacceptable(401, 'the bearer token is wrong or missing; see OUTRIDER_TOKEN');
  return sender;
}

/** What is not the sender's fault is answered 503: to an exporter any other 5xx means that it may drop the data. */
function refusalOf(door: Door, failure: unknown): Unacceptable {
  if (failure instanceof Unacceptable) return failure;
  if (failure instanceof MalformedRequest) return new Unacceptable(400, failure.message);
  door.log.error('receive.failed', { reason: sentenceOf(failure) });
  return new Unacceptable(503, 'the collector failed to store this request');
}

/** Lets a refused body run out unread, for a while: hanging up now would reset the connection under the answer. */
function letFinish(clock: Clock, request: IncomingMessage): void {
  if (request.complete) return;
  request.resume();
  const cancel = clock.after(LINGER_MS, () => request.socket.destroy());
  request.once('close', cancel);
}

function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  return promise;
}
