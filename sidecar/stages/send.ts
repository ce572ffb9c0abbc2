// Forward it upstream. The decision is in the journal before the first byte goes; a hang-up of the agent aborts the
// exchange at once. Refuses with `audit_unavailable`, `destination_forbidden`, `upstream_unreachable`, `upstream_timeout`.

import { speaksLlm } from '../../contract/attributes.ts';
import type { Timeouts } from '../../contract/config/config.ts';
import { Refusal } from '../../contract/refusals.ts';
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
    throw refusalOf(failure, upstream.name, speaksLlm(upstream.speaks));
  }
}

/** As long as a timer can wait: 24.8 days. */
const LISTENING_MS_MAX = 2 ** 31 - 1;

/** Nothing may come for as long as nothing happens where an agent only listens. */
function timeoutsOf({ upstream, description }: Credentialed): Timeouts {
  if (!description?.listens) return upstream.timeouts;
  return { ...upstream.timeouts, idleMs: 0, totalMs: LISTENING_MS_MAX };
}

/** A tool call that may have happened is not to be repeated by itself; a model call may be. */
function refusalOf(failure: SendFailure, upstream: string, repeatable: boolean): Refusal {
  if (failure.cause instanceof DialFailure) return notDialled(failure.cause, upstream);
  const cause = codeOf(failure.cause);
  if (failure.kind === 'timeout')
    return new Refusal('upstream_timeout', `${upstream} did not answer in time${cause}.`);
  const what = failure.sent ? 'closed the connection before answering' : 'could not be reached';
  return new Refusal('upstream_unreachable', `${upstream} ${what}${cause}.`, {
    mayRetry: repeatable || !failure.sent,
  });
}

function notDialled({ kind, reason, host, address, cause }: DialFailure, upstream: string): Refusal {
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
  );
}

const UNREACHED: Readonly<Record<string, string>> = {
  dns_error: 'has no address that could be found',
  upstream_tls: 'did not prove by TLS to be itself',
};

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
