// Everything outbound: undici pools over the dialer, HTTP/1.1, no redirects followed. An exchange resolves when the
// answer's head has come; its bytes are handed over as they come once someone listens. A connection is kept for one
// origin and one credential: what a server remembers of a connection is never another credential's.

import type { Socket } from 'node:net';
import { type buildConnector, Pool } from 'undici';
import type { Timeouts } from '../../contract/config/config.ts';
import type { Answer, AnswerSink, Outbound } from '../call.ts';
import { DialFailure } from './dial-failure.ts';
import type { Dialer } from './dialer.ts';
import { openTunnel } from './tunnel.ts';

export interface Upstreams {
  /** Rejects with SendFailure when no answer comes. `signal` hands out the means to abort, before the head too. */
  send(
    outbound: Outbound,
    timeouts: Timeouts,
    onStarted: (abort: (reason: Error) => void) => void,
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** `forbidden` and `unreachable` may have a DialFailure as their cause. */
export type SendFailureKind = 'forbidden' | 'unreachable' | 'timeout' | 'broken' | 'aborted';

/** Why no whole answer came. `sent` says whether a byte may have reached the upstream. */
export class SendFailure extends Error {
  override name = 'SendFailure';
  readonly kind: SendFailureKind;
  readonly sent: boolean;

  constructor(kind: SendFailureKind, sent: boolean, cause: unknown) {
    super(kind, { cause });
    this.kind = kind;
    this.sent = sent;
  }
}

const CONNECTIONS_PER_POOL_MAX = 256;
/** Beyond it, pools without a call make room: agents choose hosts, and forwarded keys, as they like. */
const POOLS_MAX = 512;
const ANSWER_HEADER_BYTES_MAX = 64 * 1024;
const INFORMATIONAL_ANSWERS_MAX = 16;
const KEEP_ALIVE_MS = 30_000;

/** By credential, then by origin: no call pays for putting a key together. */
type Pools = Map<string, Map<string, Pool>>;

export function createUpstreams(dialer: Dialer): Upstreams {
  const declared: Pools = new Map();
  const undeclared: Pools = new Map();

  const poolOf = ({ origin, credential, publicOnly }: Outbound, { connectMs }: Timeouts): Pool => {
    const pools = publicOnly ? undeclared : declared;
    const pool = pools.get(credential)?.get(origin);
    return pool ?? openPool(pools, { origin, credential, publicOnly }, connectMs);
  };

  const openPool = (pools: Pools, of: PoolOf, connectMs: number): Pool => {
    makeRoom(declared, undeclared);
    const pool = new Pool(of.origin, {
      connections: CONNECTIONS_PER_POOL_MAX,
      pipelining: 1,
      connect: connectorOf(dialer, of.publicOnly, connectMs),
      maxHeaderSize: ANSWER_HEADER_BYTES_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
    const ofCredential = pools.get(of.credential) ?? new Map<string, Pool>();
    pools.set(of.credential, ofCredential.set(of.origin, pool));
    return pool;
  };

  return {
    send(outbound, timeouts, onStarted) {
      if (outbound.becomes === 'tunnel') return tunnel(dialer, outbound, timeouts, onStarted);
      return new Promise((resolve, reject) => {
        const exchange = new Exchange(resolve, reject, timeouts.totalMs);
        onStarted((reason) => exchange.abort(reason));
        poolOf(outbound, timeouts).dispatch(
          {
            path: outbound.path,
            method: outbound.method,
            headers: outbound.headers,
            body: outbound.body,
            ...(outbound.becomes === 'websocket' && { upgrade: 'websocket' }),
            headersTimeout: timeouts.firstByteMs,
            bodyTimeout: timeouts.idleMs,
          },
          exchange,
        );
      });
    },
    async close() {
      const pools = [declared, undeclared].flatMap((all) =>
        [...all.values()].flatMap((some) => [...some.values()]),
      );
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

const tunnel = (dialer: Dialer, ...rest: Parameters<Upstreams['send']>): Promise<Answer> =>
  openTunnel(dialer, ...rest).catch((failure) => {
    throw new SendFailure(failure instanceof DialFailure ? failure.kind : 'aborted', false, failure);
  });

type PoolOf = Pick<Outbound, 'origin' | 'credential' | 'publicOnly'>;

/** Closes the longest idle pools; one with a call under way stays, and calls are bounded by the door. */
function makeRoom(...all: readonly Pools[]): void {
  let count = 0;
  for (const pools of all) for (const some of pools.values()) count += some.size;
  for (const pools of all) {
    for (const [credential, some] of pools) {
      for (const [origin, pool] of some) {
        if (count < POOLS_MAX) return;
        const { running, pending } = pool.stats;
        if (running + pending > 0) continue;
        some.delete(origin);
        void pool.close();
        count -= 1;
      }
      if (some.size === 0) pools.delete(credential);
    }
  }
}

function connectorOf(dialer: Dialer, publicOnly: boolean, connectMs: number): buildConnector.connector {
  return ({ protocol, hostname, port }, done) => {
    const tls = protocol === 'https:';
    const target = { host: hostname, port: Number(port) || (tls ? 443 : 80), tls, publicOnly };
    dialer.open(target, connectMs).then(
      (socket) => done(null, socket),
      (failure: Error) => done(failure, null),
    );
  };
}

interface Controller {
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
  rawHeaders?: unknown;
}

/** One request and its answer: undici's handler on one side, an Answer on the other. */
class Exchange implements Answer {
  status = 0;
  headers: string[] = [];
  socket?: Socket;
  #controller: Controller | null = null;
  #sink: AnswerSink | null = null;
  #early: Buffer[] = [];
  #ended = false;
  #failure: SendFailure | null = null;
  #aborted: Error | null = null;
  #sent = false;
  #informational = 0;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (failure: SendFailure) => void;
  readonly #deadline: NodeJS.Timeout;

  constructor(resolve: (answer: Answer) => void, reject: (failure: SendFailure) => void, totalMs: number) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = setTimeout(
      () => this.abort(new SendFailure('timeout', this.#sent, null)),
      totalMs,
    ).unref();
  }

  // ---- undici's side ----

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#aborted) return controller.abort(this.#aborted);
    this.#sent = true;
  }

  onResponseStart(controller: Controller, status: number): void {
    if (status >= 200) this.#answer(controller, status);
    else this.#onInformational();
  }

  #answer(controller: Controller, status: number): void {
    this.status = status;
    const raw = controller.rawHeaders as readonly Buffer[];
    for (let i = 0; i < raw.length; i++) this.headers.push(raw[i]!.toString('latin1'));
    this.#resolve(this);
  }

  onRequestUpgrade(controller: Controller, status: number, _: unknown, socket: Socket): void {
    clearTimeout(this.#deadline);
    this.#ended = true;
    this.socket = socket;
    this.#answer(controller, status);
  }

  /** A server may send any number of them, and each puts off the time limit of the head. */
  #onInformational(): void {
    this.#informational += 1;
    if (this.#informational <= INFORMATIONAL_ANSWERS_MAX) return;
    this.#controller?.abort(new SendFailure('broken', true, new Error('too many 1xx answers')));
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    if (this.#sink) this.#sink.data(chunk);
    else this.#early.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.#deadline);
    this.#ended = true;
    this.#sink?.end();
  }

  onResponseError(_: Controller, error: Error): void {
    clearTimeout(this.#deadline);
    const failure =
      error instanceof SendFailure ? error : new SendFailure(kindOf(error, this.#aborted), this.#sent, error);
    this.#failure = failure;
    if (this.status === 0) this.#reject(failure);
    else this.#sink?.failed(failure);
  }

  // ---- the call's side ----

  header(name: string): string | undefined {
    for (let i = 0; i < this.headers.length; i += 2) {
      if (this.headers[i]!.toLowerCase() === name) return this.headers[i + 1];
    }
    return undefined;
  }

  listen(sink: AnswerSink): void {
    this.#sink = sink;
    for (const chunk of this.#early.splice(0)) sink.data(chunk);
    if (this.#failure) sink.failed(this.#failure);
    else if (this.#ended) sink.end();
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(reason: Error): void {
    if (this.#ended || this.#failure || this.#aborted) return;
    this.#aborted = reason;
    if (this.#controller) this.#controller.abort(reason);
    else this.#giveUpWaiting(reason);
  }

  /** No connection is free yet, or there: who asked is told now, and undici when it comes to it. */
  #giveUpWaiting(reason: Error): void {
    clearTimeout(this.#deadline);
    this.#reject(reason instanceof SendFailure ? reason : new SendFailure('aborted', false, reason));
  }
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

function kindOf(error: Error, aborted: Error | null): SendFailureKind {
  if (aborted) return 'aborted';
  if (error instanceof DialFailure) return error.kind;
  if ('code' in error && TIMEOUTS.has(String(error.code))) return 'timeout';
  return 'broken';
}
