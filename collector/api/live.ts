// GET /v1/live: calls as they end, as server-sent events. The store is asked once a second for all who listen, and not at
// all while nobody does. A call is told when its record arrives within OVERLAP_MS of its end; one that was cut off for
// longer stands in the list, though nobody was told.

import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { CallLine, LiveCalls } from '../../contract/console.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Store } from '../store/store.ts';
import { AS_NUMBERS, CALL_COLUMNS } from './call-rows.ts';
import { ApiError } from './failures.ts';
import type { ApiEnvironment } from './guards.ts';

export interface Live {
  /** `hear` gets each event as text until the returned function is called. Throws ApiError 503 when too many listen. */
  subscribe(hear: (event: LiveEvent) => void, end: () => void): () => void;
  listeners(): number;
  /** Ends every stream. */
  close(): void;
}

export interface LiveEvent {
  readonly event: 'calls' | 'beat';
  readonly data: string;
}

const STREAMS_MAX = 200;
const EVERY_MS = 1_000;
/** A listener knows it is heard, and a page that shows sums asks again. */
const BEAT_EVERY_MS = 5_000;
const OVERLAP_MS = 60_000;
/** The longest call that is looked for: it is found by its start. */
const LONGEST_CALL_MS = 3_600_000;
const CALLS_PER_EVENT_MAX = 200;
/** Beyond so many in OVERLAP_MS, the oldest of them may be told twice or not at all. */
const LOOKED_AT_MAX = 20_000;
/** A listener that reads nothing for so many events is cut off; it connects again. */
const UNREAD_EVENTS_MAX = 32;

interface Listener {
  readonly hear: (event: LiveEvent) => void;
  readonly end: () => void;
}

export function createLive({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Live {
  const listeners = new Set<Listener>();
  let isRunning = false;
  let closed = false;

  const tell = (event: LiveEvent) => {
    for (const { hear } of [...listeners]) hear(event);
  };

  async function run(): Promise<void> {
    isRunning = true;
    const news = createNews(store, clock);
    let nextBeatMs = 0;
    while (listeners.size > 0) {
      try {
        const found = await news();
        if (found.calls.length > 0) tell({ event: 'calls', data: JSON.stringify(found) });
      } catch (failure) {
        log.warn('live_calls_unread', { reason: sentenceOf(failure) });
      }
      if (clock.monotonicMs() >= nextBeatMs) {
        nextBeatMs = clock.monotonicMs() + BEAT_EVERY_MS;
        tell({ event: 'beat', data: JSON.stringify({ at: new Date(clock.nowMs()).toISOString() }) });
      }
      await new Promise<void>((resolve) => clock.after(EVERY_MS, resolve));
    }
    isRunning = false;
  }

  return {
    subscribe(hear, end) {
      if (listeners.size >= STREAMS_MAX)
        throw new ApiError(503, 'too_many_listeners', 'Too many consoles are open; try again later.');
      const listener = { hear, end };
      listeners.add(listener);
      if (closed) end();
      else if (!isRunning) void run();
      return () => void listeners.delete(listener);
    },
    listeners: () => listeners.size,
    close() {
      closed = true;
      for (const { end } of [...listeners]) end();
      listeners.clear();
    },
  };
}

/** What ended lately and was not seen before. The first look only remembers: what is there already is no news. */
function createNews(store: Store, clock: Clock): () => Promise<LiveCalls> {
  let seen: ReadonlySet<string> | undefined;
  return async () => {
    const nowMs = clock.nowMs();
    const ids = await endedLately(store, nowMs);
    const fresh = seen === undefined ? [] : ids.filter((id) => !seen!.has(id));
    // What is no longer looked for need not be remembered.
    seen = new Set(ids);
    const told = fresh.slice(0, CALLS_PER_EVENT_MAX);
    return {
      calls: told.length > 0 ? await callsNamed(store, told, nowMs) : [],
      more: fresh.length > told.length,
    };
  };
}

/** Ids, the latest to end first: of most of them nothing else is wanted again. */
async function endedLately(store: Store, nowMs: number): Promise<string[]> {
  const rows = await store.query<{ call_id: string }>(
    `SELECT call_id FROM actions
     WHERE timestamp >= fromUnixTimestamp64Milli({earliest:Int64})
       AND toUnixTimestamp64Milli(timestamp) + duration_ms >= {ended:Int64}
     ORDER BY toUnixTimestamp64Milli(timestamp) + duration_ms DESC LIMIT ${LOOKED_AT_MAX}`,
    { earliest: nowMs - LONGEST_CALL_MS, ended: nowMs - OVERLAP_MS },
  );
  return rows.map(({ call_id }) => call_id);
}

function callsNamed(store: Store, ids: readonly string[], nowMs: number): Promise<CallLine[]> {
  return store.query(
    `SELECT ${CALL_COLUMNS} FROM actions
     WHERE timestamp >= fromUnixTimestamp64Milli({earliest:Int64}) AND call_id IN {ids:Array(String)}
     ORDER BY toUnixTimestamp64Milli(timestamp) + duration_ms ${AS_NUMBERS}`,
    { earliest: nowMs - LONGEST_CALL_MS, ids },
  );
}

/** The stream ends with the token or session that opened it, at the next beat. */
export function streamLive(context: Context<ApiEnvironment>, live: Live): Response {
  const { isInForce } = context.get('caller');
  if (context.req.method === 'HEAD') return context.body(null); // nobody reads it, so it would never end
  const over = Promise.withResolvers<void>();
  let hear: (event: LiveEvent) => void = () => undefined;
  const unsubscribe = live.subscribe((event) => hear(event), over.resolve);
  context.header('x-accel-buffering', 'no');
  return streamSSE(context, async (stream) => {
    stream.onAbort(over.resolve);
    const send = sender(stream, over.resolve);
    hear = (event) => (isInForce() ? send(event) : over.resolve());
    send({ event: 'beat', data: '{}' });
    await over.promise;
    unsubscribe();
  });
}

function sender(stream: SSEStreamingApi, end: () => void): (event: LiveEvent) => void {
  let unread = 0;
  return (event) => {
    unread += 1;
    if (unread > UNREAD_EVENTS_MAX) return end();
    stream.writeSSE(event).then(() => {
      unread -= 1;
    }, end);
  };
}
