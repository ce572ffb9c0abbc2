// Copies of the sidecars' spans on their way to one other OTLP/HTTP backend, oldest first, each batch until it is taken.
// What is tried again and what is not follows the OTLP specification (opentelemetry.io/docs/specs/otlp § OTLP/HTTP
// response), with one difference: a backend that says 401, 403 or 404 is set up wrong, and the spans wait for that to be
// mended, as long as the spool holds them.

import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { request } from 'undici';
import type { ExportTarget } from '../../contract/config/config.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Secrets } from '../../kit/secrets.ts';
import { createAlarm } from '../queue/alarm.ts';
import { batchesOf } from './export-batch.ts';
import type { Spool } from './export-spool.ts';

export interface ExportCounters {
  readonly batches: number;
  readonly retries: number;
  /** Batches the backend will never take. */
  readonly refused: number;
}

export interface Exporter {
  /** Something was put into the spool. */
  nudge(): void;
  readonly counters: ExportCounters;
  /** Stops at once; what is not delivered stays in the spool. */
  close(): Promise<void>;
}

export interface ExporterOptions {
  readonly target: ExportTarget;
  readonly spool: Spool;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
}

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 5 * 60_000;
const ANSWER_MS = 30_000;
/** The bytes themselves are at fault: they would be refused for ever. */
const NEVER_TAKEN = new Set([400, 413, 415, 422]);

const compressed = promisify(gzip);

/** The backend did not take a batch; `afterMs` is when it wants to be asked again. */
class NotTaken extends Error {
  override name = 'NotTaken';
  readonly status: number;
  readonly afterMs: number | null;

  constructor(status: number, afterMs: number | null) {
    super(`it answered ${status}`);
    this.status = status;
    this.afterMs = afterMs;
  }
}

export function startExporter(options: ExporterOptions): Exporter {
  const { spool, clock, log, target } = options;
  const counters = { batches: 0, retries: 0, refused: 0 };
  const alarm = createAlarm(clock);
  const closing = new AbortController();
  let lastFailure = '';

  /** Resolves once the batch was taken or never will be; throws when closing. */
  async function deliver(batch: Buffer): Promise<void> {
    for (let delayMs = RETRY_MS_MIN; ; delayMs = Math.min(delayMs * 2, RETRY_MS_MAX)) {
      try {
        await send(options, batch, closing.signal);
        counters.batches += 1;
        lastFailure = '';
        return;
      } catch (failure) {
        closing.signal.throwIfAborted();
        if (failure instanceof NotTaken && NEVER_TAKEN.has(failure.status)) return refused(failure);
        counters.retries += 1;
        tell(sentenceOf(failure));
        await pause(Math.max(delayMs, failure instanceof NotTaken ? (failure.afterMs ?? 0) : 0));
      }
    }
  }

  function refused({ status }: NotTaken): void {
    counters.refused += 1;
    log.error('export.refused', { to: target.url, status, batches: counters.refused });
  }

  function tell(failure: string): void {
    if (failure !== lastFailure) log.warn('export.waits', { to: target.url, failure, bytes: spool.bytes });
    lastFailure = failure;
  }

  async function pause(delayMs: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const resume = () => over.resolve();
    const cancel = clock.after(delayMs, resume);
    closing.signal.addEventListener('abort', resume, { once: true });
    await over.promise;
    cancel();
    closing.signal.removeEventListener('abort', resume);
    closing.signal.throwIfAborted();
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const segment = spool.oldest();
      if (!segment) {
        await alarm.rings(null);
        continue;
      }
      try {
        for (const batch of batchesOf(await readFile(segment.path))) await deliver(batch);
      } catch (failure) {
        if (closing.signal.aborted) return;
        log.error('export.segment_unreadable', { segment: segment.id, failure: sentenceOf(failure) });
      }
      await spool.remove(segment.id);
    }
  }

  const running = run().catch((failure: unknown) => {
    log.error('export.stopped', { to: target.url, failure: sentenceOf(failure) });
  });
  return {
    nudge: () => alarm.ring(),
    counters,
    async close() {
      closing.abort();
      alarm.ring();
      await running;
    },
  };
}

/** Throws NotTaken, or what the network throws, or a sentence about a secret that cannot be read. */
async function send({ target, secrets }: ExporterOptions, batch: Buffer, signal: AbortSignal): Promise<void> {
  const headers: Record<string, string> = {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'gzip',
  };
  for (const [name, reference] of Object.entries(target.headers))
    headers[name] = await secrets.read(reference);
  const answer = await request(target.url, {
    method: 'POST',
    headers,
    body: await compressed(batch),
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
    signal,
  });
  await answer.body.dump();
  const { statusCode } = answer;
  if (statusCode >= 200 && statusCode < 300) return;
  throw new NotTaken(statusCode, retryAfterMs(answer.headers['retry-after']));
}

/** Seconds only, as OTLP backends send; a date, or nonsense, leaves it to us. */
function retryAfterMs(header: string | string[] | undefined): number | null {
  return typeof header === 'string' && /^\d{1,6}$/.test(header)
    ? Math.min(Number(header) * 1000, RETRY_MS_MAX)
    : null;
}
