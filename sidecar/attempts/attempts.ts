// What follows a failed attempt: the same once more, the next of the role's fallbacks, or nothing, and then the failure
// is the agent's. Nothing follows once a byte has gone to the agent, nor while an agent is only observed.
//
//   first ── failed ──> retry (one, within the budget) ── failed ──> fallback ── failed ──> next fallback ── … ── failed
//                 └─── where none may be ────────────────────────────────^
//
// So a call makes at most 2 + its chain's length attempts, and a chain is gone along once.

import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';
import { parseStrict } from '../../kit/strict-json.ts';
import { readerOf } from '../answer-reader.ts';
import { type Answered, type Authorized, learn } from '../call.ts';
import type { JsonBody } from '../dialects/dialect.ts';
import type { Trail } from '../trail.ts';
import { type AttemptIdentity, attemptOf, type LaterAttempt } from './attempt.ts';
import { boundClient } from './client-budget.ts';
import { retriesItself } from './client-retries.ts';
import { type Failing, failingOf, failingOfRefusal, mayBeMended } from './failing.ts';
import { chainOf, type Fallbacks, fallbackTo, targetAsked } from './fallback.ts';
import { type KeptAnswer, keepAnswer, withHeader } from './kept-answer.ts';
import { isRepeatable } from './repeatable.ts';
import type { RetryBudget } from './retry-budget.ts';
import { secondsToTell, toldToWaitMs, waitBefore } from './wait.ts';

export interface Attempts {
  /** The attempt that follows this answer; null where the answer is the agent's, none of it lost. */
  afterAnswer(answered: Answered, trail: Trail): Promise<Authorized | null>;
  /** The attempt that follows what a stage threw; null where that is what the agent is told. */
  afterFailure(failure: unknown, call: Authorized, trail: Trail): Promise<Authorized | null>;
}

export interface AttemptServices extends Fallbacks {
  readonly budget: RetryBudget;
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  identity(): AttemptIdentity;
}

/** An attempt that may follow, and how long it waits. */
interface Plan {
  readonly waitMs: number;
  make(): Authorized;
}

/** A timeout is answered with so many times the patience. */
const PATIENCE = 2;

export function createAttempts(use: AttemptServices): Attempts {
  const planned = (call: Authorized, failing: Failing, told: number | null): Plan | null =>
    planRetry(call, failing, told, use) ?? planFallback(call, failing, use);

  const follow = async (answered: Answered, trail: Trail): Promise<Authorized | null> => {
    if (!mayFollow(answered) || !mayBeMended(answered.answer.status)) return null;
    const kept = await keepAnswer(answered.answer, use.clock);
    learn(answered, { answer: kept.answer });
    if (trail.closed) throw hungUp();
    const failing = failingOf(kept.answer.status, kept.bytes);
    const plan = failing && planned(answered, failing, toldToWaitMs(kept.answer, use.clock.nowMs()));
    if (!plan) return null;
    giveUp(answered, kept, trail);
    if (!(await heldBack(answered, plan, use.clock))) throw hungUp();
    return plan.make();
  };

  return {
    async afterAnswer(answered, trail) {
      const next = await follow(answered, trail);
      if (next) return next;
      tellToWait(answered, use.random);
      boundClient(answered, use.budget);
      return null;
    },
    async afterFailure(failure, call, trail) {
      const failing = trail.closed ? null : failingOfRefusal(failure);
      const plan = failing && mayFollow(call) ? planned(call, failing, null) : null;
      if (!plan) return null;
      trail.followed(failure as Refusal);
      return (await heldBack(call, plan, use.clock)) ? plan.make() : null;
    },
  };
}

/** What it said is on record; none of it goes to the agent. */
function giveUp(answered: Answered, { answer, bytes }: KeptAnswer, trail: Trail): void {
  const reader = readerOf(answered);
  reader.push(bytes);
  reader.flush();
  trail.answering(answer, () => reader.metered());
  trail.followed(null);
  answer.abort(new Error('another attempt follows'));
}

/** An agent that is sent away is told for how long, where its upstream did not say. */
function tellToWait(answered: Answered, random: () => number): void {
  const { answer, agent, policy } = answered;
  if (agent.mode !== 'enforce' || policy.config.retries === null) return;
  const seconds = secondsToTell(answer.status, random);
  const told = answer.header('retry-after') ?? answer.header('retry-after-ms');
  if (seconds === null || told !== undefined) return;
  learn(answered, { answer: withHeader(answer, 'retry-after', String(seconds)) });
}

/** Cheap, for every failed answer: whether anything could follow at all. */
function mayFollow(call: Authorized): boolean {
  const { agent, method } = call;
  if (agent.mode !== 'enforce' || method === 'WEBSOCKET' || call.to.kind === 'tunnel') return false;
  return mayRetry(call) || restOf(call).length > 0;
}

const mayRetry = ({ policy, request, later }: Authorized): boolean =>
  policy.config.retries !== null && later === undefined && !retriesItself(request.headers);

const restOf = (call: Authorized): readonly string[] => call.later?.rest ?? chainOf(call);

function planRetry(
  call: Authorized,
  failing: Failing,
  told: number | null,
  use: AttemptServices,
): Plan | null {
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

function planFallback(call: Authorized, failing: Failing, use: AttemptServices): Plan | null {
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

/** False where the agent left in the meantime. */
function heldBack({ response }: Authorized, { waitMs }: Plan, clock: Clock): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  if (waitMs === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const left = (): void => {
      cancel();
      resolve(false);
    };
    const cancel = clock.after(waitMs, () => {
      response.off('close', left);
      resolve(true);
    });
    response.once('close', left);
  });
}

const hungUp = (): Refusal => new Refusal('bad_request', 'The agent hung up.', { reason: 'client_closed' });
