// How an attempt failed, as far as it decides whether another one may follow. Null: it did not, or nothing else would
// mend it (what the agent asked for is wrong, or is not its to ask).

import { Refusal, type RefusalCode } from '../../contract/refusals.ts';
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
  /** Not asked at all: its circuit is open, it is being left alone, or it is in quarantine. */
  | 'held_back';

/** Status codes of an upstream's own fault. Source: RFC 9110 § 15.6; 529 is Anthropic's, 408 and 424 Bedrock's. */
const FAULTY = new Set([408, 424, 500, 502, 504]);
const OVERLOADED = new Set([503, 529]);

/** By an answer's status alone: whether its body is worth reading before it is passed on. */
export const mayBeMended = (status: number, stoodIn: boolean): boolean =>
  stoodIn || status === 429 || status === 402 || OVERLOADED.has(status) || FAULTY.has(status);

/**
 * `spent`: what the answer said of a quota that is used up. What a fallback does not take, the agent did not ask of it:
 * there any 4xx is the fallback's own fault.
 */
export function failingOf(status: number, spent: boolean, stoodIn: boolean): Failing | null {
  if (spent) return 'exhausted';
  if (status === 429) return 'throttled';
  if (OVERLOADED.has(status)) return 'overloaded';
  return stoodIn || FAULTY.has(status) ? 'faulty' : null;
}

/** Reasons of `rate_limited` that are the upstream's, not a limit of the agent's own. */
const LEFT_ALONE = new Set(['upstream_throttled', 'provider_quota']);

/** What keeps a fallback from being asked, and not the call: another may be cheaper, known, and have its key. */
const NOT_THIS_ONE: ReadonlySet<RefusalCode> = new Set(['over_budget', 'unpriced', 'no_credential']);

/** Of what was thrown instead of an answer; `stoodIn`: where a fallback was to be asked. */
export function failingOfRefusal(failure: unknown, stoodIn: boolean): Failing | null {
  if (!(failure instanceof Refusal)) return null;
  if (stoodIn && NOT_THIS_ONE.has(failure.code)) return 'held_back';
  if (failure.code === 'circuit_open' || isOfTarget(failure)) return 'held_back';
  if (LEFT_ALONE.has(failure.detail.reason ?? '')) return 'held_back';
  if (!(failure.cause instanceof SendFailure)) return null;
  if (failure.code === 'upstream_timeout') return failure.cause.sent ? 'timeout' : 'unreachable';
  if (failure.code !== 'upstream_unreachable') return null;
  if (failure.detail.reason === 'upstream_tls') return 'faulty'; // it will not be itself the next time
  return failure.cause.sent ? 'lost' : 'unreachable';
}

/** A quarantine of where a call goes is not one of who makes it: another model may serve. */
const isOfTarget = ({ code, detail }: Refusal): boolean =>
  code === 'agent_quarantined' && (detail.reason === 'upstream' || detail.reason === 'model');
