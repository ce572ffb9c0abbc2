// One request on its way in, whatever door it came by: made protobuf, walked, made durable, counted. Doors differ in how
// they read a request and how they answer it, and in nothing else.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { isForeign } from '../senders.ts';
import type { Signal } from '../signals.ts';
import type { Encoding } from './answer.ts';
import { type Budget, createBudget } from './budget.ts';
import type { Binding, Bound } from './claims.ts';
import type { Taken } from './export-response.ts';
import { MalformedRequest, type SenderTrust, walkFraming } from './framing.ts';
import { createJsonConverter, type JsonConverter } from './json-converter.ts';
import { rewrite } from './rewrite.ts';
import { type FailureStatus, Unacceptable } from './unacceptable.ts';

/** Requests in memory, of all doors together, as they came and unpacked. */
const MEMORY_BYTES_MAX = 128 * 1024 * 1024;
/** Of one request, once what is nested in its values stands as text. */
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
/** How long a request waits for memory; an exporter waits 10 s for its answer, and must hear when to come back. */
const MEMORY_WAIT_MS = 3_000;

export type Appended =
  /** `digest`: SHA-256 of the request as it was accepted. */
  | { readonly kind: 'stored'; readonly digest: Buffer }
  | { readonly kind: 'duplicate'; readonly digest: Buffer }
  | { readonly kind: 'refused'; readonly reason: string };

export interface ReceiverCounters {
  readonly requests: number;
  /** Requests taken, new or known already, by signal. */
  readonly taken: Readonly<Record<Signal, number>>;
  readonly stored: number;
  readonly duplicates: number;
  readonly bytes: number;
  /** Spans, log records and data points taken. */
  readonly items: Readonly<Record<Signal, number>>;
  /** Spans left out for their ids. */
  readonly badIds: number;
  /** Attributes named `outrider.*` from senders whose records do not count, which the store drops. */
  readonly foreign: number;
  /** Resources and scopes that said to be what their sender's token is not, and are stored as what it is. */
  readonly overruled: number;
  /** Requests refused, by HTTP status. */
  readonly refused: Readonly<Record<number, number>>;
}

export interface Provenance {
  readonly signal: Signal;
  /** The sender's name, '' for nobody. */
  readonly sender: string;
  /** Spans, log records or data points in it; never 0. */
  readonly items: number;
  /** What its resources say of the links of chains they hold, see contract/chain-ranges.ts. */
  readonly chains: readonly string[];
}

export interface Delivery {
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly sender: string;
  /** Unpacked. */
  readonly body: Buffer;
}

export interface IntakeOptions {
  /** The sender's name for a bearer token, '' for nobody; null if the token is wrong, or one is needed. May throw Unacceptable. */
  authenticate(token: string | null): string | null;
  /** What holds this sender to its claims; null where nothing does. */
  bindingOf?(sender: string): Binding | null;
  append(request: Buffer, from: Provenance): Promise<Appended>;
  readonly log: Log;
  readonly clock: Clock;
}

export interface Intake {
  readonly counters: ReceiverCounters;
  /** Bytes, which a door holds from a body's first byte until `take` has settled. */
  readonly memory: Budget;
  /** The sender's name of an `authorization` header. Throws Unacceptable 401, or 403 for a token that may not send. */
  senderOf(authorization: string | undefined): string;
  /** Resolves once the request is durable. Throws what `refusal` understands. */
  take(delivery: Delivery): Promise<Taken>;
  /** What a sender is told of anything thrown on its request's way; counts it. */
  refusal(failure: unknown): Unacceptable;
  /** Whoever reads for a door refused a request on its own. */
  refusedUnheard(status: FailureStatus): void;
  /** A request has come. */
  begun(): void;
  close(): Promise<void>;
}

type Counters = { -readonly [Name in keyof ReceiverCounters]: ReceiverCounters[Name] } & {
  readonly refused: Record<number, number>;
  readonly taken: Record<Signal, number>;
  readonly items: Record<Signal, number>;
};

export function createIntake(options: IntakeOptions): Intake {
  const counters = noneYet();
  const converter = createJsonConverter(options.clock);
  const count = (status: FailureStatus): void => {
    counters.refused[status] = (counters.refused[status] ?? 0) + 1;
  };
  return {
    counters,
    memory: createBudget({
      unitsMax: MEMORY_BYTES_MAX,
      waitMs: MEMORY_WAIT_MS,
      clock: options.clock,
      refusal: () => new Unacceptable(503, 'too much is being received at once: try again'),
    }),
    senderOf: (authorization) => senderOf(options, authorization),
    take: (delivery) => take(options, converter, counters, delivery),
    refusal(failure) {
      const refusal = refusalOf(options.log, failure);
      count(refusal.status);
      return refusal;
    },
    refusedUnheard: count,
    begun() {
      counters.requests += 1;
    },
    close: () => converter.close(),
  };
}

const noneYet = (): Counters => ({
  requests: 0,
  taken: { traces: 0, logs: 0, metrics: 0 },
  stored: 0,
  duplicates: 0,
  bytes: 0,
  items: { traces: 0, logs: 0, metrics: 0 },
  badIds: 0,
  foreign: 0,
  overruled: 0,
  refused: {},
});

async function take(
  options: IntakeOptions,
  converter: JsonConverter,
  counters: Counters,
  { signal, encoding, sender, body }: Delivery,
): Promise<Taken> {
  const given = encoding === 'json' && body.length > 0 ? await converter.toProtobuf(signal, body) : body;
  const bind = options.bindingOf?.(sender) ?? null;
  const framing = walkFraming(signal, given, trustIn(sender, bind));
  const { items, badIds, reserved, isLoose, chains } = framing;
  const { request, overruled } = bind === null ? asGiven(given) : bind(signal, given, framing);
  const message = isLoose ? written(signal, request) : request;
  const from = { signal, sender, items, chains };
  const receipt = items > 0 ? await store(options, counters, message, from) : null;
  counters.taken[signal] += 1;
  counters.bytes += body.length;
  counters.items[signal] += items;
  counters.badIds += badIds;
  counters.foreign += reserved;
  counters.overruled += overruled;
  return { signal, badIds, foreign: reserved, overruled, receipt };
}

/** Text may be longer than what it tells, so it is held to the same bounds once more. Throws as the walk does. */
function written(signal: Signal, request: Buffer): Buffer {
  const message = rewrite(signal, request);
  if (message.length > MESSAGE_BYTES_MAX)
    throw new Unacceptable(413, `nested values make this request longer than ${MESSAGE_BYTES_MAX} bytes`);
  walkFraming(signal, message, 'trusted');
  return message;
}

const asGiven = (request: Buffer): Bound => ({ request, overruled: 0 });

const trustIn = (sender: string, bind: Binding | null): SenderTrust =>
  isForeign(sender) ? 'foreign' : bind === null ? 'trusted' : 'bound';

async function store(
  { append }: IntakeOptions,
  counters: Counters,
  message: Buffer,
  from: Provenance,
): Promise<Buffer> {
  const appended = await append(message, from);
  if (appended.kind === 'refused') throw new Unacceptable(503, appended.reason);
  if (appended.kind === 'stored') counters.stored += 1;
  else counters.duplicates += 1;
  return appended.digest;
}

function senderOf({ authenticate }: IntakeOptions, authorization: string | undefined): string {
  const token = authorization === undefined ? null : (/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '');
  const sender = authenticate(token);
  if (sender === null)
    throw new Unacceptable(401, 'the bearer token is wrong or missing; see OUTRIDER_TOKEN');
  return sender;
}

/** What is not the sender's fault is answered 503: to an exporter any other 5xx means that it may drop the data. */
function refusalOf(log: Log, failure: unknown): Unacceptable {
  if (failure instanceof Unacceptable) return failure;
  if (failure instanceof MalformedRequest) return new Unacceptable(400, failure.message, failure.place);
  log.error('receive.failed', { reason: sentenceOf(failure) });
  return new Unacceptable(503, 'the collector failed to store this request');
}
