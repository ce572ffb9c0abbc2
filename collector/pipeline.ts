// Ingest, as a table of contents: the door takes requests, the queue makes them durable, the store gets whole segments.
// Started from the right and stopped from the left, so that nobody ever speaks to someone who is not there.
//
//   OTLP ──▶ receiver ──append──▶ queue ──load──▶ store

import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import type { Loader } from './queue/loader.ts';
import { createPause } from './queue/pause.ts';
import { openQueue, type Queue, type QueueCounters } from './queue/queue.ts';
import { type Appended, createReceiver, type Receiver, type ReceiverCounters } from './receive/otlp-http.ts';
import type { Signal } from './signals.ts';

export interface Pipeline {
  readonly otlpUrl: string;
  /** The collector's own records, past the door; they wait with all others while it is quiet. */
  append(signal: Signal, request: Buffer, sender: string): Promise<Appended>;
  depth(): ReturnType<Queue['depth']>;
  counters(): { readonly receiver: ReceiverCounters; readonly queue: QueueCounters };
  /** Resolves once everything accepted before is in the store (or quarantine). */
  drain(): Promise<void>;
  /**
   * Runs `act` once everything accepted is in the store, and loads nothing meanwhile. Requests wait at the door until
   * `act` calls `admit`, or ends. Rejects when the store does not catch up within `patienceMs`.
   */
  quiet<T>(patienceMs: number, act: (admit: () => void) => Promise<T>): Promise<T>;
  /** What was accepted and is not loaded yet stays on disk for the next start. */
  close(): Promise<void>;
}

export interface PipelineOptions {
  /** `host:port` of the OTLP door. */
  readonly listen: string;
  /** The queue's own directory. */
  readonly directory: string;
  readonly store: Loader;
  authenticate(token: string | null): string | null;
  readonly log: Log;
  readonly clock: Clock;
  readonly loadAfterMs?: number;
}

/** Throws what a taken directory, a full disk or a taken port throws; nothing stays open then. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { log, clock, directory, store, loadAfterMs } = options;
  const loads = createPause();
  const appends = createPause();
  const queue = await openQueue({
    directory,
    loader: { load: (segment) => loads.pass(() => store.load(segment)) },
    log,
    clock,
    ...(loadAfterMs === undefined ? {} : { loadAfterMs }),
  });
  const append: Queue['append'] = (...request) => appends.pass(() => queue.append(...request));
  const receiver = await openDoor(options, { ...queue, append });
  return {
    otlpUrl: receiver.url,
    append: (signal, request, sender) => append(request, sender, signal),
    depth: () => queue.depth(),
    counters: () => ({ receiver: receiver.counters, queue: queue.counters }),
    drain: () => queue.drain(),
    async quiet(patienceMs, act) {
      const admit = await appends.hold();
      try {
        await within(queue.drain(), patienceMs, clock);
        const resume = await loads.hold();
        try {
          return await act(admit);
        } finally {
          resume();
        }
      } finally {
        admit();
      }
    },
    async close() {
      await receiver.close();
      await queue.close();
    },
  };
}

async function within(draining: Promise<void>, patienceMs: number, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(patienceMs, () =>
    late.reject(new Error('The store has not caught up with the queue: try again when it has.')),
  );
  try {
    await Promise.race([draining, late.promise]);
  } finally {
    cancel();
  }
}

async function openDoor(options: PipelineOptions, queue: Queue): Promise<Receiver> {
  try {
    return await createReceiver({
      listen: options.listen,
      authenticate: (token) => options.authenticate(token),
      append: (request, { sender, signal }) => queue.append(request, sender, signal),
      log: options.log,
      clock: options.clock,
    });
  } catch (failure) {
    await queue.close();
    throw failure;
  }
}
