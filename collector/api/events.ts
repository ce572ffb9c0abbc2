// Recalls, modes, pinned tools and quarantines on their way to the sidecars that must hear them: one stream of
// server-sent events per listener. What nobody hears is dropped: whoever needs the money asks again, each heartbeat's
// answer says the rest, and a stream begins with what must not be missed: the revision of the quarantines.

import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Recall } from '../../contract/budget.ts';
import type { ReplayNotice } from '../../contract/dead-letter.ts';
import type { ModeNotice } from '../../contract/mode.ts';
import type { QuarantineNotice } from '../../contract/quarantine.ts';
import type { ToolsNotice } from '../../contract/tool.ts';
import type { Clock } from '../../kit/clock.ts';
import { ApiError } from './failures.ts';
import { type ApiEnvironment, mustSpeakFor } from './guards.ts';
import { checked, listener } from './messages.ts';

export type Told =
  | { readonly event: 'recall'; readonly data: Recall }
  | { readonly event: 'mode'; readonly data: ModeNotice }
  | { readonly event: 'tools'; readonly data: ToolsNotice }
  | { readonly event: 'quarantine'; readonly data: QuarantineNotice }
  | { readonly event: 'replay'; readonly data: ReplayNotice };

export interface Recalls {
  publish(recall: Recall): void;
  /** Tells every listener the mode of its agent. */
  tellAll(noticeFor: (agent: string) => ModeNotice): void;
  /** Tells every listener that other definitions of tools are pinned. */
  tellTools(notice: ToolsNotice): void;
  /** Tells every listener that other subjects are in quarantine. */
  tellQuarantine(notice: QuarantineNotice): void;
  /** Tells every listener of this agent that something is to be replayed. */
  tellReplay(notice: ReplayNotice): void;
  /** `hear` until the returned function is called. Throws ApiError 503 when too many listen. */
  subscribe(listener: Listening): () => void;
  /** Ends every stream whose listener may no longer hear. */
  endRevoked(): void;
  /** Ends every stream, and at once whoever comes later: a listener may have been on its way in. */
  close(): void;
  listeners(): number;
}

const STREAMS_MAX = 5_000;
/** A listener that reads nothing for so many events is cut off; it connects again. */
const UNREAD_EVENTS_MAX = 256;
/** Keeps proxies from taking silence for death. */
const KEEP_ALIVE_MS = 15_000;

export interface Listening {
  /** Empty: of whoever the instance serves. */
  readonly agent: string;
  readonly instance: string;
  readonly hear: (told: Told) => void;
  readonly end: () => void;
  /** False once its token is over. */
  readonly isInForce: () => boolean;
}

export function createRecalls(): Recalls {
  const listeners = new Map<string, Set<Listening>>();
  let count = 0;
  let closed = false;
  const keyOf = (agent: string, instance: string) => `${agent}/${instance}`;
  const tellEach = (told: Told): void => {
    for (const together of listeners.values()) for (const { hear } of together) hear(told);
  };
  return {
    publish(recall) {
      for (const { hear } of listeners.get(keyOf(recall.agent, recall.instance)) ?? []) {
        hear({ event: 'recall', data: recall });
      }
    },
    tellAll(noticeFor) {
      for (const together of listeners.values()) {
        for (const { agent, hear } of together) hear({ event: 'mode', data: noticeFor(agent) });
      }
    },
    tellTools: (data) => tellEach({ event: 'tools', data }),
    tellQuarantine: (data) => tellEach({ event: 'quarantine', data }),
    tellReplay(data) {
      for (const together of listeners.values())
        for (const { agent, hear } of together) if (agent === data.agent) hear({ event: 'replay', data });
    },
    subscribe(listener) {
      const { agent, instance, end } = listener;
      if (count >= STREAMS_MAX)
        throw new ApiError(503, 'too_many_listeners', 'Too many streams are open; try again later.');
      const key = keyOf(agent, instance);
      const together = listeners.get(key) ?? new Set();
      listeners.set(key, together.add(listener));
      count += 1;
      if (closed) end();
      return () => {
        if (!together.delete(listener)) return;
        count -= 1;
        if (together.size === 0 && listeners.get(key) === together) listeners.delete(key);
      };
    },
    endRevoked() {
      for (const together of listeners.values())
        for (const { isInForce, end } of [...together]) if (!isInForce()) end();
    },
    close() {
      closed = true;
      for (const together of listeners.values()) for (const { end } of [...together]) end();
    },
    listeners: () => count,
  };
}

/** GET /v1/events?agent=&instance=; without an agent by a sidecar that serves whoever shows a key. */
export function streamEvents(
  context: Context<ApiEnvironment>,
  recalls: Recalls,
  quarantine: () => QuarantineNotice,
  clock: Clock,
): Response {
  const { agent, instance } = checked(context.req.query(), listener);
  const over = Promise.withResolvers<void>();
  let send: (told: Told) => void = () => undefined;
  const { isInForce } = context.get('caller');
  mustSpeakFor(agent, context.get('caller'));
  if (context.req.method === 'HEAD') return context.body(null); // nobody reads it, so it would never end
  const unsubscribe = recalls.subscribe({
    agent,
    instance,
    hear: (told) => send(told),
    end: over.resolve,
    isInForce,
  });
  return streamSSE(context, async (stream) => {
    stream.onAbort(over.resolve);
    send = sender(stream, over.resolve);
    send({ event: 'quarantine', data: quarantine() });
    const quiet = keepAlive(stream, clock, isInForce, over.resolve);
    await over.promise;
    quiet();
    unsubscribe();
  });
}

function sender(stream: SSEStreamingApi, end: () => void): (told: Told) => void {
  let unread = 0;
  return ({ event, data }) => {
    unread += 1;
    if (unread > UNREAD_EVENTS_MAX) return end();
    stream.writeSSE({ event, data: JSON.stringify(data) }).then(() => {
      unread -= 1;
    }, end);
  };
}

/** A comment at once, so that the listener knows it is heard, and then now and again. Returns how to stop. */
function keepAlive(
  stream: SSEStreamingApi,
  clock: Clock,
  isInForce: () => boolean,
  end: () => void,
): () => void {
  let cancel: () => void = () => undefined;
  const beat = () => {
    if (!isInForce()) return end();
    stream.write(': \n\n').catch(end);
    cancel = clock.after(KEEP_ALIVE_MS, beat);
  };
  beat();
  return () => cancel();
}
