// The reverse door: the agent's base URL points here, `/<upstream>/<path>`. Node's own limits are set, so that a slow
// or greedy client costs nothing; a head that Node's parser refuses never becomes a call and is answered plainly.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Refusal } from '../../contract/refusals.ts';
import { isLoopback } from '../../kit/listen.ts';
import { type Accepted, begin, learn, type Policy } from '../call.ts';
import { checkHead, readTarget, type Target } from './authority.ts';
import { randomHex } from './lineage.ts';

export interface ReverseProxy {
  readonly server: Server;
  /** Calls that were accepted and are not over. */
  readonly inFlight: number;
  /** From now on every new call is refused with `draining`. */
  drain(): void;
}

export interface Door {
  policy(): Policy;
  nowMs(): number;
  monotonicMs(): number;
  carry(accepted: Accepted): Promise<void>;
  refuse(failure: unknown, accepted: Accepted): void;
}

const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 120_000;
const KEEP_ALIVE_MS = 65_000;
const CONNECTIONS_MAX = 2_048;
const NO_TARGET: Target = { to: { kind: 'upstream', name: '' }, path: '/', query: '' };

export function createReverseProxy(door: Door): ReverseProxy {
  let inFlight = 0;
  let draining = false;

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    inFlight += 1;
    response.once('close', () => {
      inFlight -= 1;
    });
    const accepted = begin({
      id: randomHex(16),
      startedAtMs: door.nowMs(),
      startedMonotonicMs: door.monotonicMs(),
      method: request.method ?? '',
      ...NO_TARGET,
      request,
      response,
      proxyAuthorization: undefined,
      policy: door.policy(),
    });
    try {
      if (draining) throw new Refusal('draining', 'The sidecar is stopping.', { retryAfterSeconds: 1 });
      learn(accepted, readTarget(request.url ?? ''));
      checkHead(request, isLoopback(request.socket.localAddress ?? ''));
    } catch (failure) {
      return door.refuse(failure, accepted);
    }
    void door.carry(accepted);
  };

  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      insecureHTTPParser: false,
    },
    onRequest,
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.maxHeadersCount = 256;
  server.on('clientError', (failure: NodeJS.ErrnoException, socket) =>
    answerUnreadable(failure, socket as Socket),
  );
  server.on('connect', (_request, socket) =>
    plainly(socket as Socket, 405, 'CONNECT is not offered by this door.'),
  );
  server.on('upgrade', (_request, socket) =>
    plainly(socket as Socket, 400, 'Protocol upgrades are not carried.'),
  );

  return {
    server,
    get inFlight() {
      return inFlight;
    },
    drain() {
      draining = true;
    },
  };
}

function answerUnreadable(failure: NodeJS.ErrnoException, socket: Socket): void {
  if (failure.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (failure.code === 'HPE_HEADER_OVERFLOW')
    return plainly(socket, 431, 'The headers are larger than 16 KiB.');
  if (failure.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return plainly(socket, 408, 'The request did not arrive in time.');
  plainly(socket, 400, 'This is not a well-formed HTTP/1.1 request.');
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** An answer to what never became a call. */
function plainly(socket: Socket, status: number, sentence: string): void {
  const body = JSON.stringify({ error: { code: 'bad_request', message: sentence } });
  socket.end(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n` +
      `x-outrider-refusal: bad_request\r\nx-should-retry: false\r\nconnection: close\r\n\r\n${body}`,
  );
}
