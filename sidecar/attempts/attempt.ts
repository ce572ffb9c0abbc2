// One attempt of a call: the first is the call as it came, each later one is a call of its own (ids, hold, permit,
// decision, record) that remembers what was asked. This is what it remembers.

import { type Authorized, begin, learn } from '../call.ts';
import type { Bridge, CarriedCall } from '../dialects/bridge.ts';

/** What an attempt after the first knows beyond its call. */
export interface LaterAttempt {
  /** 2 for the one after the first. */
  readonly number: number;
  /** The call as it came: what was asked, in the wire form it was asked in. */
  readonly first: Authorized;
  /** `upstream/model` that was asked for, where another one serves; empty where it is the same one again. */
  readonly asked: string;
  /** What of the role's fallbacks is still to be tried, in order. */
  readonly rest: readonly string[];
  /** Origins that were asked for this call already: one more is extra load there. */
  readonly origins: readonly string[];
  /** How many times as long as the upstream's own limits it may take. */
  readonly patience: number;
  /** Carries the answer back where the upstream speaks another wire form. */
  readonly bridge: Bridge | null;
  /** Set on top of the agent's own headers; null takes one out. */
  readonly headers: CarriedCall['headers'];
}

/** Who an attempt is, drawn from outside. */
export interface AttemptIdentity {
  readonly id: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
}

/** What of the call differs in an attempt. */
export type Altered = Partial<
  Pick<
    Authorized,
    | 'upstream'
    | 'dialect'
    | 'head'
    | 'endpoint'
    | 'description'
    | 'body'
    | 'bodyDigest'
    | 'json'
    | 'judgement'
  >
>;

/** A call of its own, in the same trace under the same parent, that knows what `first` knew once it was authorized. */
export function attemptOf(
  first: Authorized,
  later: LaterAttempt,
  { spanId, ...identity }: AttemptIdentity,
  altered: Altered,
): Authorized {
  const { agent, lineage, upstream, dialect, head, endpoint, description, body, bodyDigest } = first;
  return learn(begin({ ...first, ...identity }), {
    agent,
    lineage: { ...lineage, spanId },
    upstream,
    dialect,
    head,
    endpoint,
    description,
    body,
    bodyDigest,
    json: undefined,
    judgement: first.judgement,
    batchFile: first.batchFile,
    later,
    ...altered,
  });
}
