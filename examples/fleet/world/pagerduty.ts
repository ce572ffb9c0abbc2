// A double of PagerDuty's Events API v2: takes what the real one takes, refuses what it refuses, and keeps incidents as
// it does, by dedup key. Source: developer.pagerduty.com, "Send an alert event" and "Rate limits".

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const dedupKey = z.string().min(1).max(255);
const link = z.strictObject({ href: z.url(), text: z.string().optional() });
const image = z.strictObject({ src: z.url(), href: z.url().optional(), alt: z.string().optional() });
const event = z.discriminatedUnion('event_action', [
  z.object({
    routing_key: z.string().length(32),
    event_action: z.literal('trigger'),
    dedup_key: dedupKey.optional(),
    payload: z.object({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime({ offset: true }).optional(),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional(),
      custom_details: z.record(z.string(), z.unknown()).optional(),
    }),
    links: z.array(link).optional(),
    images: z.array(image).optional(),
    client: z.string().optional(),
    client_url: z.string().optional(),
  }),
  z.object({
    routing_key: z.string().length(32),
    event_action: z.literal('acknowledge'),
    dedup_key: dedupKey,
  }),
  z.object({ routing_key: z.string().length(32), event_action: z.literal('resolve'), dedup_key: dedupKey }),
]);

export type PagerdutyEvent = z.output<typeof event>;

export interface PagerdutyIncident {
  readonly dedupKey: string;
  readonly summary: string;
  readonly severity: string;
  readonly class: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  /** Events that named it, triggers that only repeated it among them. */
  readonly events: PagerdutyEvent[];
  status: 'triggered' | 'acknowledged' | 'resolved';
}

export interface PagerdutyDouble {
  /** What OUTRIDER_PAGERDUTY_URL is set to. */
  readonly url: string;
  /** Every incident ever opened; a key opens another once the one before is resolved. */
  readonly incidents: readonly PagerdutyIncident[];
  /** Every request, accepted or not, with the status it was answered with. */
  readonly requests: readonly { readonly status: number; readonly body: unknown }[];
  /** What the next requests are answered with instead, one each: 429, 500; `null` closes the connection. */
  answerNext(...statuses: (number | null)[]): void;
  /** Answers as itself again, whatever was planned. */
  forget(): void;
  /** Takes events as ever, and answers nobody until `resume`. */
  hold(): void;
  resume(): void;
  /** Resolves with what `find` returns once it returns something; asked after every request. */
  until<T>(find: (double: PagerdutyDouble) => T | undefined, deadlineMs?: number): Promise<T>;
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 512 * 1024;

/** Listens on loopback; port 0 picks a free one. */
export async function startPagerduty(port = 0): Promise<PagerdutyDouble> {
  const incidents: PagerdutyIncident[] = [];
  const requests: { status: number; body: unknown }[] = [];
  const planned: (number | null)[] = [];
  const watchers = new Set<() => void>();
  let held: (() => void)[] | undefined;

  const server = createServer((request, response) => {
    void bodyOf(request).then((text) => {
      const answer = take(text, response);
      if (held) held.push(answer);
      else answer();
      for (const watch of watchers) watch();
    });
  });

  /** Takes what was sent; what it returns answers. */
  function take(text: string, response: ServerResponse): () => void {
    const status = planned.shift();
    if (status === null) return () => void response.destroy();
    const body = jsonOf(text);
    if (status !== undefined)
      return answerWith(response, status, body, { status: 'error', message: 'planned' });
    const { success, data, error } = event.safeParse(body);
    if (!success || text.length > BODY_BYTES_MAX) {
      const errors = error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [
        'too large',
      ];
      return answerWith(response, 400, body, {
        status: 'invalid event',
        message: 'Event object is invalid',
        errors,
      });
    }
    const key = ('dedup_key' in data && data.dedup_key) || `generated-${requests.length}`;
    apply(data, key);
    return answerWith(response, 202, body, { status: 'success', message: 'Event processed', dedup_key: key });
  }

  function apply(data: PagerdutyEvent, key: string): void {
    const open = incidents.find((known) => known.dedupKey === key && known.status !== 'resolved');
    open?.events.push(data);
    if (data.event_action === 'resolve' && open) open.status = 'resolved';
    if (data.event_action === 'acknowledge' && open) open.status = 'acknowledged';
    if (data.event_action !== 'trigger' || open) return;
    const { summary, severity, class: of, custom_details: details = {} } = data.payload;
    incidents.push({
      dedupKey: key,
      summary,
      severity,
      class: of,
      details,
      events: [data],
      status: 'triggered',
    });
  }

  function answerWith(response: ServerResponse, status: number, body: unknown, answer: object): () => void {
    requests.push({ status, body });
    const retry = status === 429 ? { 'retry-after': '1' } : {};
    return () =>
      void response
        .writeHead(status, { 'content-type': 'application/json', ...retry })
        .end(JSON.stringify(answer));
  }

  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  const double: PagerdutyDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/enqueue`,
    incidents,
    requests,
    answerNext: (...statuses) => void planned.push(...statuses),
    forget: () => void planned.splice(0),
    hold() {
      held ??= [];
    },
    resume() {
      const waiting = held ?? [];
      held = undefined;
      for (const answer of waiting) answer();
    },
    until: (find, deadlineMs = 60_000) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = find(double);
          if (found === undefined) return;
          stop();
          resolve(found);
        };
        const timer = setTimeout(() => {
          stop();
          reject(
            new Error(`not paged in ${deadlineMs} ms; so far: ${JSON.stringify(requests).slice(0, 2000)}`),
          );
        }, deadlineMs);
        const stop = (): void => {
          clearTimeout(timer);
          watchers.delete(look);
        };
        watchers.add(look);
        look();
      }),
    close: () => closed(server),
  };
  return double;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (failure) {
    if (failure instanceof SyntaxError) return text;
    throw failure;
  }
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => void server.close(() => resolve()));
}
