// Recalls on their way to the sidecars that must hear them: one stream of server-sent events per listener. A recall that
// nobody hears is dropped; whoever needs the money asks again, and it is sent again.

import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Recall } from '../../contract/budget.ts';
import type { Clock } from '../../kit/clock.ts';
import { ApiError } from './failures.ts';
import { checked, listener } from './messages.ts';

export interface Recalls {
  publish(recall: Recall): void;
  /** `hear` until the returned function is called. Throws ApiError 503 when too many listen. */
  subscribe(agent: string, instance: string, hear: (recall: Recall) => void, end: () => void): () => void;
  /** Ends every stream. */
  close(): void;
  listeners(): number;
}

const STREAMS_MAX = 5_000;
/** A listener that reads nothing for so many events is cut off; it connects again. */
const UNREAD_EVENTS_MAX = 256;
/** Keeps proxies from taking silence for death. */
const KEEP_ALIVE_MS = 15_000;

interface Listener {
  readonly hear: (recall: Recall) => void;
  readonly end: () => void;
}

export function createRecalls(): Recalls {
  const listeners = new Map<string, Set<Listener>>();
  let count = 0;
  const keyOf = (agent: string, instance: string) => `${agent}/${instance}`;
  return {
    publish(recall) {
      for (const { hear } of listeners.get(keyOf(recall.agent, recall.instance)) ?? []) hear(recall);
    },
    subscribe(agent, instance, hear, end) {
      if (count >= STREAMS_MAX)
        throw new ApiError(503, 'too_many_listeners', 'Too many streams are open; try again later.');
      const key = keyOf(agent, instance);
      const listener = { hear, end };
      const together = listeners.get(key) ?? new Set();
      listeners.set(key, together.add(listener));
      count += 1;
      return () => {
        if (!together.delete(listener)) return;
        count -= 1;
        if (together.size === 0 && listeners.get(key) === together) listeners.delete(key);
      };
    },
    close() {
      for (const together of listeners.values()) for (const { end } of [...together]) end();
    },
    listeners: () => count,
  };
}

/** GET /v1/events?agent=&instance= */
export function streamEvents(context: Context, recalls: Recalls, clock: Clock): Response {
  const { agent, instance } = checked(context.req.query(), listener);
  const over = Promise.withResolvers<void>();
  let send: (recall: Recall) => void = () => undefined;
  const unsubscribe = recalls.subscribe(agent, instance, (recall) => send(recall), over.resolve);
  return streamSSE(context, async (stream) => {
    stream.onAbort(over.resolve);
    send = sender(stream, over.resolve);
    const quiet = keepAlive(stream, clock, over.resolve);
    await over.promise;
    quiet();
    unsubscribe();
  });
}

function sender(stream: SSEStreamingApi, end: () => void): (recall: Recall) => void {
  let unread = 0;
  return (recall) => {
    unread += 1;
    if (unread > UNREAD_EVENTS_MAX) return end();
    stream.writeSSE({ event: 'recall', data: JSON.stringify(recall) }).then(() => {
      unread -= 1;
    }, end);
  };
}

/** A comment at once, so that the listener knows it is heard, and then now and again. Returns how to stop. */
function keepAlive(stream: SSEStreamingApi, clock: Clock, end: () => void): () => void {
  let cancel: () => void = () => undefined;
  const beat = () => {
    stream.write(': \n\n').catch(end);
    cancel = clock.after(KEEP_ALIVE_MS, beat);
  };
  beat();
  return () => cancel();
}
