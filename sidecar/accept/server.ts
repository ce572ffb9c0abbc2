// One port, three doors: a path is the reverse door's, a whole url the forward door's, CONNECT opens a tunnel or an
// interception, whose requests come back in here. Node's own limits are set, so that a slow or greedy client costs
// nothing; a head that Node's parser refuses never becomes a call and is answered plainly.

import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { Refusal } from '../../contract/refusals.ts';
import { isLoopback } from '../../kit/listen.ts';
import { type Accepted, begin, learn, type Policy, type Replay } from '../call.ts';
import type { Overload } from '../state/overload.ts';
import type { Way } from '../way-through.ts';
import type { Authority } from './authority.ts';
import { createConnect } from './connect.ts';
import { readForward } from './forward.ts';
import { checkHead, checkLocal } from './head.ts';
import { createInterception, type Inside, readInside } from './intercept.ts';
import { randomHex } from './lineage.ts';
import { answerUnreadable } from './plainly.ts';
import { createReplayDoor, type ReplayDoor } from './replay-door.ts';
import { readReverse } from './reverse.ts';
import { answerSelfCheck, SELF_CHECK_HOST } from './self-check.ts';
import type { Target } from './target.ts';
import { checkUpgrade, isWebSocket } from './upgrade.ts';

export interface Doors {
  readonly server: Server;
  /** Calls that were accepted and are not over. */
  readonly inFlight: number;
  /** Carries a request of the sidecar's own, as any other. */
  readonly replay: ReplayDoor;
  /** From now on every new call is refused with `draining`. */
  drain(): void;
  /** Cuts off whoever is still there. */
  closeAll(): void;
}

export interface DoorServices {
  policy(): Policy;
  readonly overload: Overload;
  nowMs(): number;
  monotonicMs(): number;
  carry(accepted: Accepted): Promise<void>;
  refuse(failure: unknown, accepted: Accepted): void;
  /** Records a refusal of which the agent only sees a closed connection; it got `httpStatus` before. */
  record(refusal: Refusal, accepted: Accepted, httpStatus: number): void;
  /** Throws Refusal where neither way is open. */
  wayThrough(accepted: Accepted, to: Authority): Way;
  leafFor(host: string): Promise<SecureContext>;
}

const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 256;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 120_000;
const TIMEOUTS_CHECKED_MS = 1_000;
const KEEP_ALIVE_MS = 65_000;
const CONNECTIONS_MAX = 2_048;
const NO_TARGET: Target = { to: { kind: 'upstream', name: '' }, path: '/', query: '' };
/** A connection on which a head was malformed: what else it says is not read. */
const SPOILED = 'spoiled';

export function createDoors(door: DoorServices): Doors {
  const connections = new WeakMap<Socket, Inside | typeof SPOILED>();
  const replays = new WeakMap<Duplex, Replay>();
  /** What Node let go of, and how to stop counting it. */
  const detached = new Map<Socket, () => void>();
  let inFlight = 0;
  let draining = false;

  const arrived = (
    request: IncomingMessage,
    response: ServerResponse,
    method: string,
    inside: Inside | undefined,
  ): Accepted =>
    begin({
      id: randomHex(16),
      startedAtMs: door.nowMs(),
      startedMonotonicMs: door.monotonicMs(),
      method,
      ...NO_TARGET,
      request,
      response,
      proxyAuthorization: inside?.proxyAuthorization,
      policy: door.policy(),
      replay: replays.get(request.socket),
    });

  const enter = (accepted: Accepted, inside: Inside | undefined): void => {
    if (draining) throw new Refusal('draining', 'The sidecar is stopping.', { retryAfterSeconds: 1 });
    door.overload.admit(inFlight);
    const { request } = accepted;
    learn(accepted, targetOf(request, inside));
    const host = checkHead(request);
    if (accepted.to.kind === 'upstream' && isLoopback(request.socket.localAddress ?? ''))
      checkLocal(host, request.headers);
  };

  const refuseHead = (failure: unknown, accepted: Accepted): void => {
    const { request, response } = accepted;
    if (failure instanceof Refusal && failure.code === 'bad_request') {
      connections.set(request.socket, SPOILED);
      closeAfter(request, response);
    }
    door.refuse(failure, accepted);
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const inside = connections.get(request.socket);
    if (inside === SPOILED) return void request.resume();
    if (inside?.authority.host === SELF_CHECK_HOST) return answerSelfCheck(request, response);
    inFlight += 1;
    response.once('close', () => {
      inFlight -= 1;
    });
    const accepted = arrived(request, response, request.method ?? '', inside);
    try {
      enter(accepted, inside);
    } catch (failure) {
      return refuseHead(failure, accepted);
    }
    void door.carry(accepted);
  };

  /** What Node let go of: still one call with one answer, until it becomes what was asked. */
  const detach = (request: IncomingMessage, socket: Socket): ServerResponse => {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.destroySoon());
    socket.on('error', () => socket.destroy());
    hold(socket);
    return response;
  };

  const hold = (socket: Socket): void => {
    inFlight += 1;
    const release = (): void => {
      if (detached.delete(socket)) inFlight -= 1;
    };
    detached.set(socket, release);
    socket.once('close', release);
  };

  const onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const socket = duplex as Socket;
    const inside = connections.get(socket);
    if (inside === SPOILED) return void socket.destroy();
    const accepted = arrived(request, detach(request, socket), 'WEBSOCKET', inside);
    try {
      enter(accepted, inside);
      checkUpgrade(request);
    } catch (failure) {
      return door.refuse(failure, accepted);
    }
    if (head.length > 0) socket.unshift(head);
    void door.carry(accepted);
  };

  const interception = createInterception({
    leafFor: door.leafFor,
    enter(connection, inside, socket) {
      detached.get(socket)?.(); // from here on each request inside counts
      connections.set(connection, inside);
      server.emit('connection', connection);
    },
    failed: (refusal, accepted) => door.record(refusal, accepted, 200),
    monotonicMs: door.monotonicMs,
  });
  const connect = createConnect({ wayThrough: door.wayThrough, carry: door.carry, interception });

  const onConnect = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const socket = duplex as Socket;
    const inside = connections.get(socket);
    const accepted = arrived(request, detach(request, socket), 'CONNECT', undefined);
    try {
      if (draining) throw new Refusal('draining', 'The sidecar is stopping.', { retryAfterSeconds: 1 });
      if (inside !== undefined)
        throw new Refusal('bad_request', 'A tunnel is not opened inside another.', { reason: 'method' });
      connect(accepted, socket, head);
    } catch (failure) {
      door.refuse(failure, accepted);
    }
  };

  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUTS_CHECKED_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      insecureHTTPParser: false,
      requireHostHeader: false, // we say it ourselves, in words
      shouldUpgradeCallback: isWebSocket,
    },
    onRequest,
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.maxHeadersCount = HEADERS_MAX;
  server.on('clientError', (failure, duplex) => {
    const socket = duplex as Socket;
    if (connections.get(socket) === SPOILED) socket.destroySoon();
    else answerUnreadable(failure, socket);
  });
  server.on('checkContinue', onRequest); // answered once the body is wanted
  server.on('checkExpectation', onRequest);
  server.on('connect', onConnect);
  server.on('upgrade', onUpgrade);

  return {
    server,
    replay: createReplayDoor(server, (connection, replay) => void replays.set(connection, replay)),
    get inFlight() {
      return inFlight;
    },
    drain() {
      draining = true;
    },
    closeAll() {
      server.closeAllConnections();
      for (const socket of detached.keys()) socket.destroy();
    },
  };
}

/** Throws Refusal `bad_request`. */
function targetOf(request: IncomingMessage, inside: Inside | undefined): Target {
  const url = request.url ?? '';
  if (inside) return readInside(url, request.headers.host ?? '', inside);
  if (url.startsWith('/')) return readReverse(url);
  const target = readForward(url, request.headers.host ?? '');
  return isOurs(target, request.socket) ? readReverse(target.path + target.query) : target;
}

/**
 * A whole url that leads to this very door: some clients know no port in NO_PROXY, and send what is for the reverse door
 * as for a proxy (curl before 8.x, undici).
 */
const isOurs = ({ to }: Target, { localAddress, localPort }: Socket): boolean =>
  to.kind === 'url' && to.origin === `http://${localAddress}:${localPort}`;

/** After a malformed head nobody knows where the next one begins. A body under way is let run out, see refuse.ts. */
function closeAfter(request: IncomingMessage, response: ServerResponse): void {
  const { headers, socket } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
    response.shouldKeepAlive = false;
  else request.once('end', () => socket.destroySoon());
}
