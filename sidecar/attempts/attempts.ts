// What follows a failed attempt, at most 1 + the chain's length of them; or nothing, and then the failure is the agent's.
// Nothing follows once a byte has gone to the agent, nor while an agent is only observed.
//
//   first ── failed ──> retry (one, within the budget) ── failed ──> fallback ── failed ──> next fallback ── … ── failed
//                 └─── where none may be ────────────────────────────────^

import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { readerOf } from '../answer-reader.ts';
import { type Answered, type Authorized, learn } from '../call.ts';
import type { Throttle } from '../dialects/dialect.ts';
import { toldBy } from '../throttled-answer.ts';
import type { Trail } from '../trail.ts';
import { boundClient } from './client-budget.ts';
import { type Failing, failingOf, failingOfRefusal, mayBeMended } from './failing.ts';
import { type KeptAnswer, keepAnswer, withHeader } from './kept-answer.ts';
import { mayFollow, type Plan, type Planning, planAfter } from './plan.ts';
import { believed, secondsToTell } from './wait.ts';

export interface Attempts {
  /** The attempt that follows this answer; null where the answer is the agent's, none of it lost. */
  afterAnswer(answered: Answered, trail: Trail): Promise<Authorized | null>;
  /** The attempt that follows what a stage threw; null where that is what the agent is told. */
  afterFailure(failure: unknown, call: Authorized, trail: Trail): Promise<Authorized | null>;
}

export interface AttemptServices extends Planning {
  readonly clock: Clock;
  readonly log: Log;
  /** An answer said that too much was asked: other calls are to know. For how many ms nobody asks; null: for none. */
  heard(call: Answered, told: Throttle): number | null;
}

export function createAttempts(use: AttemptServices): Attempts {
  /** A mistake of ours while another attempt is looked for costs nobody the answer there is. */
  const plan = (call: Authorized, failing: Failing, toldMs: number | null): Plan | null => {
    try {
      return planAfter(call, failing, toldMs, use);
    } catch (failure) {
      use.log.error('attempt.not_planned', { call: call.id, failure: sentenceOf(failure) });
      return null;
    }
  };

  const follow = async (answered: Answered, trail: Trail): Promise<Authorized | null> => {
    if (!mayFollow(answered) || !mayBeMended(answered.answer.status, isFallback(answered))) return null;
    const kept = await keepAnswer(answered.answer, use.clock);
    learn(answered, { answer: kept.answer });
    if (trail.closed) throw hungUp();
    const told = toldBy(answered, kept.bytes, use.clock.nowMs());
    const failing = failingOf(kept.answer.status, told.spent, isFallback(answered));
    const sentAway = failing === 'throttled' || failing === 'exhausted';
    const leftAloneMs = sentAway ? use.heard(answered, told) : null;
    const planned = failing && plan(answered, failing, leftAloneMs ?? believed(told.waitMs));
    if (!planned) return null;
    giveUp(answered, kept, trail);
    if (!(await waited(answered, planned, use.clock))) throw hungUp();
    return planned.make();
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
      const failing = trail.closed ? null : failingOfRefusal(failure, isFallback(call));
      const planned = failing && mayFollow(call) ? plan(call, failing, null) : null;
      if (!planned) return null;
      trail.followed(failure as Refusal);
      return (await waited(call, planned, use.clock)) ? planned.make() : null;
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

/** False where the agent left in the meantime. */
function waited({ response }: Authorized, { waitMs }: Plan, clock: Clock): Promise<boolean> {
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

const isFallback = ({ later }: Authorized): boolean => (later?.asked ?? '') !== '';

const hungUp = (): Refusal => new Refusal('bad_request', 'The agent hung up.', { reason: 'client_closed' });
