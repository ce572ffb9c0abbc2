// The OTLP/HTTP door. It answers 200 only after `append` said that the bytes are durable; everything it does not take it
// refuses in words, in the sender's own encoding, with a status that makes an exporter retry exactly when that can help.
// Source: opentelemetry-proto docs/specification.md, "OTLP/HTTP".

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import { listenOn } from '../../kit/listen.ts';
import type { OwnNames } from '../../kit/own-names.ts';
import { SIGNALS, type Signal } from '../signals.ts';
import { answerFailure, answerStored, ENCODINGS, type Encoding } from './answer.ts';
import { type BodyReader, createBodyReader } from './body.ts';
import type { Intake } from './intake.ts';
import { answerPreflight, greetOrigin, isPreflight } from './origins.ts';
import { statusAsJson } from './rpc-status.ts';
import { RETRY_AFTER_SECONDS, Unacceptable } from './unacceptable.ts';

export const BODY_BYTES_MAX = 20 * 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const BODY_MS_MAX = 30_000;
const TIMEOUT_CHECK_MS = 2_000;
/** Longer than the 60 s of common clients and balancers, so that it is they who let go of an idle connection. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const CONNECTIONS_MAX = 1_024;
/** How long a refused sender may go on sending, so that it reads the answer instead of a reset. */
const LINGER_MS = 2_000;
/** What Docker, Docker Desktop and Podman call the machine that a container runs on. */
const HOST_OF_CONTAINERS = /^(host\.docker|gateway\.docker|host\.containers)\.internal(:\d+)?$/i;

export interface Receiver {
  /** `http://host:port`, with the port that was taken. */
  readonly url: string;
  /** Takes no new connection, answers what was begun, hangs up on the idle. */
  close(): Promise<void>;
}

export interface HttpReceiverOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  readonly intake: Intake;
  /** Names under which the door may be called. */
  readonly names: OwnNames;
  /** Whose pages may send, e.g. `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  readonly clock: Clock;
  readonly bodyBytesMax?: number;
}

interface Door extends HttpReceiverOptions {
  readonly bodies: BodyReader;
  isClosing(): boolean;
}

/** Resolves once it listens. Throws PortUnavailable. */
export async function createHttpReceiver(options: HttpReceiverOptions): Promise<Receiver> {
  const { intake, clock, bodyBytesMax = BODY_BYTES_MAX } = options;
  const bodies = createBodyReader({ bodyBytesMax, bodyMsMax: BODY_MS_MAX, memory: intake.memory, clock });
  const door: Door = { ...options, bodies, isClosing: () => !server.listening };
  const take = (request: IncomingMessage, response: ServerResponse) => void answer(door, request, response);
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0, // Node answers 408, on which exporters drop what they sent: bodies have a time of our own
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      requireHostHeader: false, // who names no host is refused by us, in words
    },
    take,
  );
  server.on('checkExpectation', take); // what a proxy in between expects is no reason to lose a request
  server.maxConnections = CONNECTIONS_MAX;
  server.on('clientError', (failure: NodeJS.ErrnoException, socket: Socket) =>
    answerUnread(intake, failure, socket),
  );
  const { url } = await listenOn(server, options.listen, 'listen.otlp');
  return { url, close: () => closeServer(server) };
}

/** One request from its head to its answer; nothing it meets gets past here. */
async function answer(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { intake } = door;
  let encoding: Encoding = 'json';
  intake.begun();
  try {
    checkHost(door.names, request);
    greetOrigin(door.allowedOrigins, request, response);
    const signal = signalOf(request);
    if (isPreflight(request)) return answerPreflight(response);
    if (request.method !== 'POST') throw new Unacceptable(405, `/v1/${signal} takes POST only`);
    encoding = encodingOf(request);
    const sender = intake.senderOf(request.headers.authorization);
    const taken = await door.bodies.whole(request, (body) => intake.take({ signal, encoding, sender, body }));
    response.shouldKeepAlive &&= !door.isClosing();
    answerStored(response, encoding, taken);
  } catch (failure) {
    if (request.destroyed && !request.complete) return; // it hung up: nobody is left to hear anything
    const refusal = intake.refusal(failure);
    letFinish(door.clock, request);
    response.shouldKeepAlive &&= !door.isClosing();
    answerFailure(response, encoding, refusal);
  }
}

/**
 * A page that made its own name point here says that name. Containers call their host by names of their own, and no page
 * gets in by those: what a page posts has an origin, which `greetOrigin` asks the config about.
 */
function checkHost(names: OwnNames, { headers }: IncomingMessage): void {
  const { host = '', origin } = headers;
  const isContainer = origin === undefined && HOST_OF_CONTAINERS.test(host);
  if (!names.hasHost(host) && !isContainer)
    throw new Unacceptable(403, 'this name is not served here: use the address of listen.otlp');
}

function signalOf(request: IncomingMessage): Signal {
  const path = (request.url ?? '').split('?', 1)[0]!;
  const signal = SIGNALS.find((each) => path === `/v1/${each}`);
  if (!signal)
    throw new Unacceptable(404, 'send spans to /v1/traces, log records to /v1/logs, metrics to /v1/metrics');
  return signal;
}

function encodingOf(request: IncomingMessage): Encoding {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === ENCODINGS.protobuf) return 'protobuf';
  if (type === ENCODINGS.json) return 'json';
  throw new Unacceptable(415, `the content-type must be ${ENCODINGS.protobuf} or ${ENCODINGS.json}`);
}

/** Lets a refused body run out unread, for a while: hanging up now would reset the connection under the answer. */
function letFinish(clock: Clock, request: IncomingMessage): void {
  if (request.complete) return;
  request.resume();
  const cancel = clock.after(LINGER_MS, () => request.socket.destroy());
  request.once('close', cancel);
}

/** What could not be read as HTTP: refused like all else, and hung up on. */
function answerUnread(intake: Intake, { code }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') return void socket.destroy();
  const { status, message } = intake.refusal(unreadOf(code));
  const body = statusAsJson(new Unacceptable(status, message));
  const retry = status === 503 ? `retry-after: ${RETRY_AFTER_SECONDS}\r\n` : '';
  socket.end(
    `HTTP/1.1 ${status} ${UNREAD_REASONS[status] ?? 'Bad Request'}\r\ncontent-type: ${ENCODINGS.json}\r\n${retry}` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

const UNREAD_REASONS: Readonly<Record<number, string>> = {
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
};

function unreadOf(code: string | undefined): Unacceptable {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Unacceptable(503, `the request's head was not complete within ${HEADERS_TIMEOUT_MS / 1000} s`);
  if (code === 'HPE_HEADER_OVERFLOW') return new Unacceptable(431, 'the headers are too large');
  return new Unacceptable(400, 'this is not HTTP/1.1; OTLP over gRPC is taken at listen.otlp_grpc');
}

function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  return promise;
}
