// Ingest, as a table of contents: the door takes requests, the queue makes them durable, the store gets whole segments.
// Started from the right and stopped from the left, so that nobody ever speaks to someone who is not there.
//
//   OTLP/HTTP ─┬─ intake ──append──▶ queue ──load──▶ store
//   OTLP/gRPC ─┘

import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { ownNames } from '../kit/own-names.ts';
import type { Loader } from './queue/loader.ts';
import { createPause } from './queue/pause.ts';
import { openQueue, type Queue, type QueueCounters } from './queue/queue.ts';
import type { RequestFacts, Sequencer } from './queue/sequencer.ts';
import type { Binding } from './receive/claims.ts';
import { walkFraming } from './receive/framing.ts';
import { type Appended, createIntake, type Intake, type ReceiverCounters } from './receive/intake.ts';
import { createGrpcReceiver } from './receive/otlp-grpc.ts';
import { createHttpReceiver } from './receive/otlp-http.ts';
import { isForeign } from './senders.ts';
import type { Signal } from './signals.ts';

export interface Pipeline {
  readonly otlpUrl: string;
  /** `http://host:port`, as gRPC's exporters want it. */
  readonly otlpGrpcUrl: string;
  /** The collector's own records, past the door; they wait with all others while it is quiet. */
  append(signal: Signal, request: Buffer, sender: string): Promise<Appended>;
  depth(): ReturnType<Queue['depth']>;
  /** What the store could not take. */
  readonly again: Queue['again'];
  /** What keeps it from its work, as `/readyz` and alerts name it. */
  missing(): readonly string[];
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
  /** `host:port` of the OTLP door for HTTP. */
  readonly listen: string;
  /** `host:port` of the OTLP door for gRPC; without it a free port. */
  readonly listenGrpc?: string;
  /** Names under which the HTTP door may be called, besides loopback's. */
  readonly hosts?: readonly string[];
  /** The HTTP door listens beyond loopback, and may be called by any IP address. */
  readonly beyondLoopback?: boolean;
  /** Origins whose pages may send. */
  readonly allowedOrigins?: readonly string[];
  /** The queue's own directory. */
  readonly directory: string;
  readonly store: Loader;
  /** Its tables lie on the queue's disk. */
  readonly sharesDisk?: boolean;
  /** The log of what is accepted; nothing is while it has no room. */
  readonly audit?: Sequencer & { hasRoom(): boolean };
  authenticate(token: string | null): string | null;
  /** What holds a sender to its claims; null where nothing does. */
  bindingOf?(sender: string): Binding | null;
  /** A request of somebody authenticated was stored that says which links of chains it holds. */
  chainsHeard?(texts: readonly string[]): void;
  readonly log: Log;
  readonly clock: Clock;
  readonly loadAfterMs?: number;
}

/** Throws what a taken directory, a full disk or a taken port throws; nothing stays open then. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { log, clock, directory, store, sharesDisk = false, audit, loadAfterMs } = options;
  const loads = createPause();
  const appends = createPause();
  const queue = await openQueue({
    directory,
    loader: { ...store, load: (segment) => loads.pass(() => store.load(segment)) },
    sharesDisk,
    log,
    clock,
    lookInto,
    ...(audit === undefined ? {} : { sequencer: audit }),
    ...(loadAfterMs === undefined ? {} : { loadAfterMs }),
  });
  const append: Queue['append'] = async (...request) => {
    if (audit && !audit.hasRoom()) return { kind: 'refused', reason: 'the audit log can not be written' };
    return await appends.pass(() => queue.append(...request));
  };
  const intake = createIntake({
    authenticate: (token) => options.authenticate(token),
    bindingOf: (sender) => options.bindingOf?.(sender) ?? null,
    async append(request, { sender, signal, items, chains }) {
      const appended = await append(request, sender, signal, { items, chains });
      if (appended.kind === 'stored' && !isForeign(sender) && chains.length > 0)
        options.chainsHeard?.(chains);
      return appended;
    },
    log,
    clock,
  });
  const doors = await openDoors(options, intake, queue);
  return {
    otlpUrl: doors.otlpUrl,
    otlpGrpcUrl: doors.otlpGrpcUrl,
    append: (signal, request, sender) => append(request, sender, signal, lookInto(signal, request)),
    depth: () => queue.depth(),
    again: queue.again,
    missing: () => queue.missing(),
    counters: () => ({ receiver: intake.counters, queue: queue.counters }),
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
      await doors.close();
      await queue.close();
    },
  };
}

/** What the door saw, or would have. */
function lookInto(signal: Signal, request: Buffer): RequestFacts {
  const { items, chains } = walkFraming(signal, request);
  return { items, chains };
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

interface Doors {
  readonly otlpUrl: string;
  readonly otlpGrpcUrl: string;
  close(): Promise<void>;
}

async function openDoors(options: PipelineOptions, intake: Intake, queue: Queue): Promise<Doors> {
  const { listen, listenGrpc = '127.0.0.1:0', hosts = [], beyondLoopback = false } = options;
  const { allowedOrigins = [], clock, log } = options;
  const names = ownNames(hosts, beyondLoopback);
  const opened: { close(): Promise<void> }[] = [intake];
  const close = async (): Promise<void> => {
    for (const door of opened.reverse()) await door.close();
  };
  try {
    const http = await createHttpReceiver({ listen, intake, names, allowedOrigins, clock });
    opened.push(http);
    const grpc = await createGrpcReceiver({ listen: listenGrpc, intake, clock, log });
    opened.push(grpc);
    return { otlpUrl: http.url, otlpGrpcUrl: grpc.url, close };
  } catch (failure) {
    await close();
    await queue.close();
    throw failure;
  }
}
