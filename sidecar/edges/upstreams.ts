// Everything outbound: undici pools, one per origin, HTTP/1.1, no redirects followed. An exchange resolves when the
// answer's head has come; its bytes are handed over as they come once someone listens.

import type { Socket } from 'node:net';
import { Pool } from 'undici';
import type { Timeouts } from '../../contract/config/config.ts';
import type { Answer, AnswerSink, Outbound } from '../call.ts';
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

export type SendFailureKind = 'unreachable' | 'timeout' | 'broken' | 'aborted';

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

const CONNECTIONS_PER_ORIGIN_MAX = 256;
const ANSWER_HEADER_BYTES_MAX = 64 * 1024;

export function createUpstreams(): Upstreams {
  const pools = new Map<string, Pool>();

  const poolOf = (origin: string, timeouts: Timeouts): Pool => {
    let pool = pools.get(origin);
    if (!pool) {
      pool = new Pool(origin, {
        connections: CONNECTIONS_PER_ORIGIN_MAX,
        pipelining: 1,
        connect: { timeout: timeouts.connectMs },
        maxHeaderSize: ANSWER_HEADER_BYTES_MAX,
        keepAliveTimeout: 30_000,
      });
      pools.set(origin, pool);
    }
    return pool;
  };

  return {
    send(outbound, timeouts, onStarted) {
      if (outbound.becomes === 'tunnel') return tunnel(outbound, timeouts, onStarted);
      return new Promise((resolve, reject) => {
        const exchange = new Exchange(resolve, reject, timeouts.totalMs);
        onStarted((reason) => exchange.abort(reason));
        poolOf(outbound.origin, timeouts).dispatch(
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
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

const tunnel: Upstreams['send'] = (outbound, timeouts, onStarted) =>
  openTunnel(outbound, timeouts, onStarted).catch((failure) => {
    throw new SendFailure('unreachable', false, failure);
  });

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
    this.#controller?.abort(reason);
  }
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const NEVER_CONNECTED = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

function kindOf(error: Error, aborted: Error | null): SendFailureKind {
  const code = 'code' in error ? String(error.code) : '';
  if (aborted) return 'aborted';
  if (TIMEOUTS.has(code)) return 'timeout';
  if (NEVER_CONNECTED.has(code)) return 'unreachable';
  return 'broken';
}
