// What a call has learned so far: one type per stage, each knows one fact more than the one before. A stage takes what
// its predecessor gives, so a wrong order does not compile. It is one object that grows: `learn` adds the facts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Mode } from '../contract/attributes.ts';
import type { Agent, CaptureBodies, Config, RateLimit, Upstream } from '../contract/config/config.ts';
import type { Amounts } from '../contract/money.ts';
import type { RefusalCode } from '../contract/refusals.ts';
import type { Judgement, RuleSet } from '../contract/rules.ts';
import type { LaterAttempt } from './attempts/attempt.ts';
import type { Description, Dialect, Endpoint, JsonBody, RequestHead } from './dialects/dialect.ts';
import type { BatchFile, Bound } from './state/batch-files.ts';
import type { Permit } from './state/circuits.ts';
import type { Hold } from './state/leases/hold.ts';
import type { Price, PriceBook } from './state/prices.ts';
import type { Taken } from './state/rates.ts';
import type { Passage } from './state/throttles.ts';

/** Read off the wire by a door; nothing of it is trusted yet. */
export interface Accepted {
  readonly id: string;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  readonly method: string;
  readonly to: Destination;
  /** Canonical, as sent, with its leading slash; no query. At the reverse door without the upstream's name. */
  readonly path: string;
  /** With the leading `?`, or empty; byte-exact. */
  readonly query: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the tunnel was opened with that this request came through; undefined without a tunnel. */
  readonly proxyAuthorization: string | undefined;
  /** The policy in force when the call began; it ends under the same one. */
  readonly policy: Policy;
  /** Set where this is a dead letter that is replayed: no agent's request, but the sidecar's own. */
  readonly replay?: Replay | undefined;
}

/** On whose behalf a dead letter is replayed. */
export interface Replay {
  readonly agent: string;
  /** The letter: the id of the call that failed first. */
  readonly letter: string;
}

/** Where a door says a call is to go: to an upstream by its name, or to a url as an agent writes it for a proxy. */
export type Destination =
  | { readonly kind: 'upstream'; readonly name: string }
  /** Scheme, host and port, canonical: `https://api.openai.com`, without the scheme's own port. */
  | { readonly kind: 'url'; readonly origin: string }
  /** To a host and port, whatever is spoken there; IPv6 in brackets. */
  | { readonly kind: 'tunnel'; readonly host: string; readonly port: number };

/** A config with what is compiled from it; replaced as a whole. */
export interface Policy {
  readonly config: Config;
  readonly digest: string;
  readonly prices: PriceBook;
}

export interface AgentIdentity {
  readonly name: string;
  readonly instance: string;
  readonly entry: Agent;
  readonly mode: Mode;
  readonly capture: CaptureBodies;
  readonly rules: RuleSet;
  readonly maxOutputTokens: number | null;
  readonly requestRates: readonly RateLimit[];
  readonly tokenRates: readonly RateLimit[];
}

export interface Lineage {
  readonly task: string;
  /** 32 hex digits: the caller's trace, or one of our own. */
  readonly traceId: string;
  /** 16 hex digits, drawn before the decision is journalled. */
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  /** Who called this agent, who first granted the work, how deep: from baggage, unverified until signed. */
  readonly callerAgent: string;
  readonly grantor: string;
  readonly depth: number;
  readonly parentTraceId: string;
  /** The baggage that goes on upstream, without our own members. */
  readonly baggage: string;
}

export type Identified = Accepted & {
  readonly agent: AgentIdentity;
  readonly lineage: Lineage;
  /** The first thing that enforcing would have refused; only ever set while observing. */
  readonly wouldRefusal?: RefusalCode | undefined;
};

export type Classified = Identified & {
  readonly upstream: Upstream;
  readonly dialect: Dialect;
  readonly head: RequestHead;
  /** Undefined only in observe mode: an endpoint nobody knows, passed on unmetered. */
  readonly endpoint: Endpoint | undefined;
  readonly description: Description | undefined;
  readonly body: Buffer;
  /** Lower-case hex SHA-256 of the body as received; empty where `capture.bodies` is none or there is no body. */
  readonly bodyDigest: string;
  readonly json: JsonBody | undefined;
};

export type Authorized = Classified & {
  readonly judgement: Judgement;
  /** What is known of the file that a batch is submitted by. */
  readonly batchFile: BatchFile | undefined;
  /** Undefined on the first attempt, which is all that most calls make. */
  readonly later?: LaterAttempt | undefined;
};

export type Reserved = Authorized & {
  readonly price: Price | null;
  /** Null when the call costs nothing, or passes unpriced. */
  readonly hold: Hold | null;
  readonly held: Amounts;
  /** To be written into the body where the request named no limit. */
  readonly outputTokensWritten: number | null;
  /** The most that the requests in an uploaded file can cost: nothing is held until they are submitted. */
  readonly fileBound: Bound | null;
};

export type Admitted = Reserved & {
  readonly permit: Permit;
  /** Null where nobody had asked for less. */
  readonly passage: Passage | null;
  /** Null where nobody limits tokens or the upstream. */
  readonly rated: Taken | null;
};

export type Credentialed = Admitted & {
  readonly outbound: Outbound;
  /** The credential's name for the record; empty without one. */
  readonly credentialName: string;
};

/** What goes to the upstream: judged, rebuilt, complete. */
export interface Outbound {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  /** Flat list of names and values. */
  readonly headers: string[];
  readonly body: Buffer | null;
  /** The secret an answer must never hold; null when we injected none. */
  readonly secret: Buffer | null;
  /** Usage was asked for by us alone, so its chunk is taken out of the answer. */
  readonly dropUsageChunk: boolean;
  /** Only public addresses may be dialled: no upstream declares the destination. */
  readonly publicOnly: boolean;
  /** What the connection is to become once it is answered, judged as such; null for an ordinary exchange. */
  readonly becomes: 'websocket' | 'tunnel' | null;
  /** The credential's name for the record, empty without one; connections are never shared between two. */
  readonly credential: string;
}

export type Answered = Credentialed & {
  readonly answer: Answer;
  /** The first bytes of an answer that says no, as they came. */
  readonly errorBody?: readonly Buffer[] | undefined;
};

/** What of a call is known at any moment: from a head alone to an answer. */
export type Known = Accepted & Partial<Answered>;

/** An answer whose head has come; its bytes flow once someone listens. */
export interface Answer {
  readonly status: number;
  /** Flat list of names and values as the upstream sent them. */
  readonly headers: readonly string[];
  header(name: string): string | undefined;
  /** The connection itself, where it became what was asked: from now on it is the caller's. */
  readonly socket?: Socket;
  /** Hands over everything that came so far, then what comes. At most once. */
  listen(sink: AnswerSink): void;
  pause(): void;
  resume(): void;
  /** Closes the upstream exchange; `failed` follows. */
  abort(reason: Error): void;
}

export interface AnswerSink {
  data(chunk: Buffer): void;
  end(): void;
  failed(error: Error): void;
}

/**
 * A call with a place for every fact it will learn. Without the places the engine turns an object that grows by so many
 * members into a hash table, and every stage pays for it.
 */
export function begin(accepted: Accepted): Accepted {
  const {
    id,
    startedAtMs,
    startedMonotonicMs,
    method,
    to,
    path,
    query,
    request,
    response,
    proxyAuthorization,
    policy,
    replay,
  } = accepted;
  const call: { [Fact in keyof Answered]-?: Answered[Fact] | undefined } = {
    id,
    startedAtMs,
    startedMonotonicMs,
    method,
    to,
    path,
    query,
    request,
    response,
    proxyAuthorization,
    policy,
    replay,
    agent: undefined,
    lineage: undefined,
    wouldRefusal: undefined,
    upstream: undefined,
    dialect: undefined,
    head: undefined,
    endpoint: undefined,
    description: undefined,
    body: undefined,
    bodyDigest: undefined,
    json: undefined,
    judgement: undefined,
    batchFile: undefined,
    later: undefined,
    price: undefined,
    hold: undefined,
    held: undefined,
    outputTokensWritten: undefined,
    fileBound: undefined,
    permit: undefined,
    passage: undefined,
    rated: undefined,
    outbound: undefined,
    credentialName: undefined,
    answer: undefined,
    errorBody: undefined,
  };
  return call as Accepted;
}

/** Notes on an observed call what enforcing would have refused, and goes on: what comes first is what would be said. */
export function noteRefusal(call: Identified, code: RefusalCode): void {
  if (call.wouldRefusal === undefined) learn(call, { wouldRefusal: code });
}

/** Adds facts to a call; the very same object, now known to hold more. */
export function learn<Call extends object, Facts extends object>(call: Call, facts: Facts): Call & Facts {
  return Object.assign(call, facts);
}
