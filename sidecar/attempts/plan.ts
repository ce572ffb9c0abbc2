// Which attempt may follow a failed one: the same once more where that may help and does no harm, else the next fallback
// that can serve. Decides only; nothing has happened yet but that an extra attempt is counted.

import { parseStrict } from '../../kit/strict-json.ts';
import type { Authorized } from '../call.ts';
import type { JsonBody } from '../dialects/dialect.ts';
import { type AttemptIdentity, attemptOf, type LaterAttempt } from './attempt.ts';
import { retriesItself } from './client-retries.ts';
import type { Failing } from './failing.ts';
import { chainOf, type Fallbacks, fallbackTo, targetAsked } from './fallback.ts';
import { isRepeatable } from './repeatable.ts';
import type { RetryBudget } from './retry-budget.ts';
import { waitBefore } from './wait.ts';

export interface Planning extends Fallbacks {
  readonly budget: RetryBudget;
  /** In [0, 1). */
  random(): number;
  identity(): AttemptIdentity;
}

/** An attempt that may follow, and how long it waits. */
export interface Plan {
  readonly waitMs: number;
  make(): Authorized;
}

/** A timeout is answered with so many times the patience. */
const PATIENCE = 2;

/** `told` is how many ms the upstream asked to be left alone; null where it said nothing. */
export const planAfter = (
  call: Authorized,
  failing: Failing,
  told: number | null,
  use: Planning,
): Plan | null => planRetry(call, failing, told, use) ?? planFallback(call, failing, use);

/** Cheap, for every failed answer: whether anything could follow at all. */
export function mayFollow(call: Authorized): boolean {
  const { agent, method } = call;
  if (agent.mode !== 'enforce' || method === 'WEBSOCKET' || call.to.kind === 'tunnel') return false;
  return mayRetry(call) || restOf(call).length > 0;
}

const mayRetry = ({ policy, request, later }: Authorized): boolean =>
  policy.config.retries !== null && later === undefined && !retriesItself(request.headers);

const restOf = (call: Authorized): readonly string[] => call.later?.rest ?? chainOf(call);

function planRetry(call: Authorized, failing: Failing, told: number | null, use: Planning): Plan | null {
  const { retries } = call.policy.config;
  if (!retries || !mayRetry(call) || !mends(failing, call)) return null;
  const waitMs = waitBefore(failing, told, use.random);
  if ((told ?? waitMs) > retries.waitMs || !use.budget.take()) return null;
  const later: LaterAttempt = {
    ...latterOf(call, failing),
    patience: failing === 'timeout' ? PATIENCE : 1,
  };
  return { waitMs, make: () => attemptOf(call, later, use.identity(), { json: readAgain(call) }) };
}

/** Whether the same again may help, and cannot do twice what was asked once. */
function mends(failing: Failing, call: Authorized): boolean {
  if (failing === 'throttled' || failing === 'overloaded' || failing === 'unreachable') return true;
  return (failing === 'timeout' || failing === 'lost') && isRepeatable(call);
}

function planFallback(call: Authorized, failing: Failing, use: Planning): Plan | null {
  const latter = latterOf(call, failing);
  for (const [index, target] of latter.rest.entries()) {
    const fallback = fallbackTo(target, latter.first, use);
    if (!fallback) continue;
    const isExtraLoad = latter.origins.includes(new URL(fallback.altered.upstream.url).origin);
    if (isExtraLoad && !use.budget.take()) continue;
    const later: LaterAttempt = {
      ...latter,
      asked: targetAsked(latter.first),
      rest: latter.rest.slice(index + 1),
      bridge: fallback.bridge,
      headers: fallback.headers,
    };
    return { waitMs: 0, make: () => attemptOf(latter.first, later, use.identity(), fallback.altered) };
  }
  return null;
}

/** What an attempt after this one knows whatever it is. */
function latterOf(call: Authorized, failing: Failing): LaterAttempt {
  const { origins = [], number = 1, first = call } = call.later ?? {};
  const origin = new URL(call.upstream.url).origin;
  return {
    number: number + 1,
    first,
    asked: '',
    rest: restOf(call),
    origins: failing === 'held_back' ? origins : [...origins, origin],
    patience: 1,
    bridge: null,
    headers: {},
  };
}

/** Parsed anew: the first attempt let go of it. */
const readAgain = ({ endpoint, body, description }: Authorized): JsonBody | undefined =>
  description && endpoint?.body && endpoint.body !== 'bytes' ? (parseStrict(body) as JsonBody) : undefined;
