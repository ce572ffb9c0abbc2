// How an attempt failed, as far as it decides whether another one may follow. Null: it did not, or nothing else would
// mend it (what the agent asked for is wrong, or is not its to ask).

import { Refusal } from '../../contract/refusals.ts';
import { SendFailure } from '../edges/upstreams.ts';

export type Failing =
  /** Asked to slow down. */
  | 'throttled'
  /** Asked to slow down for as long as nobody pays: waiting does not help. */
  | 'exhausted'
  /** Told to come back later: 503, 529. */
  | 'overloaded'
  /** Any other fault of the upstream's own. */
  | 'faulty'
  /** No answer in time. */
  | 'timeout'
  /** No byte reached it. */
  | 'unreachable'
  /** The connection closed before the answer began; what was sent may have been done. */
  | 'lost'
  /** Not asked at all: its circuit is open, or it is being left alone. */
  | 'held_back';

/** Status codes of an upstream's own fault. Source: RFC 9110 § 15.6; 529 is Anthropic's, 408 and 424 Bedrock's. */
const FAULTY = new Set([408, 424, 500, 502, 504]);
const OVERLOADED = new Set([503, 529]);
/** A limit of money, not of time. Source: OpenAI error codes `insufficient_quota`, `billing_hard_limit_reached`. */
const EXHAUSTED =
  /"(?:insufficient_quota|billing_hard_limit_reached|billing_error|enforced_spend_limit_reached)"/;

/** By an answer's status alone: whether its body is worth reading before it is passed on. */
export const mayBeMended = (status: number): boolean =>
  status === 429 || OVERLOADED.has(status) || FAULTY.has(status);

export function failingOf(status: number, body: Buffer): Failing | null {
  if (status === 429) return EXHAUSTED.test(body.toString('latin1')) ? 'exhausted' : 'throttled';
  if (OVERLOADED.has(status)) return 'overloaded';
  return FAULTY.has(status) ? 'faulty' : null;
}

/** Of what was thrown instead of an answer. */
export function failingOfRefusal(failure: unknown): Failing | null {
  if (!(failure instanceof Refusal)) return null;
  if (failure.code === 'circuit_open') return 'held_back';
  if (!(failure.cause instanceof SendFailure)) return null;
  if (failure.code === 'upstream_timeout') return failure.cause.sent ? 'timeout' : 'unreachable';
  if (failure.code !== 'upstream_unreachable') return null;
  if (failure.detail.reason === 'upstream_tls') return 'faulty'; // it will not be itself the next time
  return failure.cause.sent ? 'lost' : 'unreachable';
}
