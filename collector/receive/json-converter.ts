// Where OTLP/JSON is turned into protobuf: a small request at once, a larger one in a thread of its own, one after the
// other. Parsing 20 MB takes the better part of a second, and the same event loop grants leases.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../kit/clock.ts';
import type { Signal } from '../signals.ts';
import { MalformedRequest } from './framing.ts';
import { jsonToProtobuf } from './json-to-protobuf.ts';
import { Unacceptable } from './unacceptable.ts';

export interface JsonConverter {
  /** Throws MalformedRequest, and Unacceptable where the thread broke down over it. */
  toProtobuf(signal: Signal, body: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

export interface JsonOrder {
  readonly signal: Signal;
  readonly body: Uint8Array;
}

export type JsonResult =
  | { readonly kind: 'done'; readonly request: Uint8Array }
  | { readonly kind: 'malformed'; readonly message: string; readonly place: string };

/** Up to here it takes about a millisecond or two. */
const AT_ONCE_BYTES_MAX = 32 * 1024;
/** What a body of 20 MB may become; a thread that wants more is ended, and the request with it. */
const THREAD_HEAP_MB = 512;
/** A thread that nobody needs gives its memory back. */
const IDLE_MS = 30_000;
const WORKER = new URL(`./json-worker${extname(import.meta.url)}`, import.meta.url);

export function createJsonConverter(clock: Clock): JsonConverter {
  let thread: Worker | null = null;
  let rest = (): void => undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const stop = async (): Promise<void> => {
    const stopping = thread;
    thread = null;
    await stopping?.terminate();
  };
  /** It may also end between two requests. */
  const start = (): Worker => {
    const started = startThread();
    const ended = (): void => {
      if (thread === started) thread = null;
    };
    return started.once('error', ended).once('exit', ended);
  };
  const convert = async (order: JsonOrder): Promise<Buffer> => {
    rest();
    thread ??= start();
    const result = await asked(thread, order);
    rest = clock.after(IDLE_MS, () => void stop());
    if (result.kind === 'malformed') throw new MalformedRequest(result.message, result.place);
    const { buffer, byteOffset, byteLength } = result.request;
    return Buffer.from(buffer, byteOffset, byteLength);
  };

  return {
    async toProtobuf(signal, body) {
      if (body.length <= AT_ONCE_BYTES_MAX) return jsonToProtobuf(signal, body);
      const converted = turn.then(() => convert({ signal, body }));
      turn = converted.catch(() => undefined); // its sender hears of it; the next has its turn all the same
      return converted;
    },
    async close() {
      rest();
      await stop();
    },
  };
}

function startThread(): Worker {
  const thread = new Worker(WORKER, { resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB } });
  thread.unref();
  return thread;
}

/** Rejects when the thread ends over it, which it does when it runs out of memory. */
function asked(thread: Worker, order: JsonOrder): Promise<JsonResult> {
  const { promise, resolve, reject } = Promise.withResolvers<JsonResult>();
  const brokeDown = (): void =>
    reject(
      new Unacceptable(413, 'as JSON this request takes too much memory: send protobuf, or less at once'),
    );
  const onMessage = (result: JsonResult): void => resolve(result);
  thread.once('message', onMessage).once('error', brokeDown).once('exit', brokeDown);
  thread.postMessage(order);
  return promise.finally(() =>
    thread.off('message', onMessage).off('error', brokeDown).off('exit', brokeDown),
  );
}
