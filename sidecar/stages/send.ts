// Forward it upstream. The decision is in the journal before the first byte goes; a hang-up of the agent aborts the
// exchange at once. Refuses with `audit_unavailable`, `destination_forbidden`, `upstream_unreachable`, `upstream_timeout`.

import type { Timeouts } from '../../contract/config/config.ts';
import { Refusal } from '../../contract/refusals.ts';
import { isRepeatable } from '../attempts/repeatable.ts';
import { type Answered, type Credentialed, learn } from '../call.ts';
import { DialFailure } from '../edges/dial-failure.ts';
import { SendFailure, type Upstreams } from '../edges/upstreams.ts';
import type { Trail } from '../trail.ts';

export async function send(
  credentialed: Credentialed,
  upstreams: Upstreams,
  trail: Trail,
): Promise<Answered> {
  const { outbound, upstream } = credentialed;
  await trail.decide(credentialed);
  try {
    const answer = await upstreams.send(outbound, timeoutsOf(credentialed), (abort) => trail.onHangUp(abort));
    credentialed.passage?.ended(answer.status < 400);
    return learn(credentialed, { answer });
  } catch (failure) {
    if (!(failure instanceof SendFailure)) throw failure;
    trail.sent(failure.sent);
    throw refusalOf(failure, upstream.name, isRepeatable(credentialed));
  }
}

/** As long as a timer can wait: 24.8 days. */
const LISTENING_MS_MAX = 2 ** 31 - 1;

/** Nothing may come for as long as nothing happens where an agent only listens. */
function timeoutsOf({ upstream, description, later }: Credentialed): Timeouts {
  const { timeouts } = upstream;
  if (description?.listens) return { ...timeouts, idleMs: 0, totalMs: LISTENING_MS_MAX };
  if (later === undefined || later.patience === 1) return timeouts;
  const longer = (ms: number): number => Math.min(ms * later.patience, LISTENING_MS_MAX);
  return { ...timeouts, firstByteMs: longer(timeouts.firstByteMs), totalMs: longer(timeouts.totalMs) };
}

/** What may have happened is not to be repeated by itself, and the agent is told so; what changes nothing may be. */
function refusalOf(failure: SendFailure, upstream: string, repeatable: boolean): Refusal {
  if (failure.cause instanceof DialFailure) return notDialled(failure.cause, failure, upstream);
  const cause = codeOf(failure.cause);
  const unknown = failure.sent && !repeatable;
  const detail = unknown ? { reason: 'outcome_unknown' } : {};
  const sentence = unknown ? OUTCOME_UNKNOWN : '';
  if (failure.kind === 'timeout') {
    const late = `${upstream} did not answer in time${cause}.${sentence}`;
    return new Refusal('upstream_timeout', late, detail, { cause: failure });
  }
  const what = failure.sent ? 'closed the connection before answering' : 'could not be reached';
  const closed = `${upstream} ${what}${cause}.${sentence}`;
  return new Refusal('upstream_unreachable', closed, { ...detail, mayRetry: !unknown }, { cause: failure });
}

const OUTCOME_UNKNOWN = ' Whether it did what was asked is unknown: look before asking again.';

function notDialled(
  { kind, reason, host, address, cause }: DialFailure,
  failure: SendFailure,
  upstream: string,
): Refusal {
  if (kind === 'forbidden') {
    const at = address === null || address === host ? '' : ` (${address})`;
    return new Refusal('destination_forbidden', `${host}${at} may not be dialled: ${reason}.`, {
      reason,
      facts: { host, address },
    });
  }
  const who = upstream === host || host === '' ? upstream : `${upstream} (${host})`;
  return new Refusal(
    'upstream_unreachable',
    `${who} ${UNREACHED[reason] ?? 'could not be reached'}${codeOf(cause)}.`,
    {
      reason,
      mayRetry: reason !== 'upstream_tls',
    },
    { cause: failure },
  );
}

const UNREACHED: Readonly<Record<string, string>> = {
  dns_error: 'has no address that could be found',
  upstream_tls: 'did not prove by TLS to be itself',
};

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
