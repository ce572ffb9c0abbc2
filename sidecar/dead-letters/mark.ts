// Which endings make a dead letter, row by row of docs/dead-letters.md. What a policy, a budget or a rate refused is
// none, nor is what its agent gave up, nor an error that a tool or another agent answered with: who asked has heard it.

import { speaksLlm } from '../../contract/attributes.ts';
import type { DeadLetterKind } from '../../contract/dead-letter.ts';
import type { RefusalCode } from '../../contract/refusals.ts';
import { isRepeatable } from '../attempts/repeatable.ts';
import type { Known } from '../call.ts';
import type { Charge, Ending } from '../charge.ts';

/** Null where the ending makes none. `upstreamStatus` is 0 where the upstream said nothing. */
export function markOf(
  call: Known,
  ending: Ending,
  charged: Charge,
  upstreamStatus: number,
): DeadLetterKind | null {
  if (!asksForSomething(call)) return null;
  switch (ending.kind) {
    case 'answered':
      return charged.status === 'success' ? null : ofAnswer(call, upstreamStatus);
    case 'broken':
      return lostMarkOf(call);
    case 'refused':
      return ofRefusal(call, ending.refusal.code, ending.sent);
    case 'interrupted':
      return ofRefusal(call, 'agent_quarantined', true);
    case 'hung_up':
    case 'cut':
      return null;
  }
}

const UPSTREAMS_OWN: ReadonlySet<string> = new Set(['upstream_unreachable', 'upstream_timeout']);

function ofRefusal(call: Known, code: RefusalCode, sent: boolean): DeadLetterKind | null {
  if (!sent) return UPSTREAMS_OWN.has(code) ? 'failed' : null;
  return code === 'agent_quarantined' && mayRepeat(call) ? null : lostMarkOf(call);
}

/** What can't be read, what only listens, and what any rule covers (lists, handshakes) is nobody's work. */
export function asksForSomething({ to, outbound, endpoint, description }: Known): boolean {
  if (to.kind === 'tunnel' || outbound?.becomes) return false;
  return endpoint !== undefined && endpoint.billed !== 'free' && !description?.listens;
}

/** Bytes were sent and nobody knows what came of them. */
export const lostMarkOf = (call: Known): DeadLetterKind => (mayRepeat(call) ? 'failed' : 'outcome_unknown');

const mayRepeat = ({ method, upstream, description, endpoint }: Known): boolean =>
  upstream !== undefined && isRepeatable({ method, upstream, description, endpoint });

/** What a request is told that can't be taken as it is. */
const INVALID_INPUT: ReadonlySet<number> = new Set([400, 413, 415, 422]);
/** The upstream says that it did not begin. */
const NOT_BEGUN: ReadonlySet<number> = new Set([408, 501, 503, 505, 529]);

function ofAnswer(call: Known, status: number): DeadLetterKind | null {
  if (status < 400) return call.upstream && speaksLlm(call.upstream.speaks) ? 'failed' : null;
  if (INVALID_INPUT.has(status)) return 'invalid_input';
  if (NOT_BEGUN.has(status)) return 'failed';
  return status >= 500 ? lostMarkOf(call) : null;
}
