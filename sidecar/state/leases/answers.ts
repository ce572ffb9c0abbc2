// What an answer of the ledger changes: a grant is taken over once the journal has it, a lease that is not ours any
// more is forgotten, and who waits hears the ledger's word.

import type { LeaseAnswer, LeaseAsk } from '../../../contract/budget.ts';
import { type Desk, recordState } from './desk.ts';
import { outlookOf } from './outlook.ts';
import { type Purse, takeGrant } from './purse.ts';
import { metBy } from './refusals.ts';
import { purseOfAsk, refusedTasks, retire, type Till } from './till.ts';
import { noteObstacle, refuseAlike } from './waiting.ts';

/** `sentAtMs`: when the ask left, on the wall clock. */
export function absorb(
  desk: Desk,
  till: Till,
  ask: LeaseAsk,
  answer: LeaseAnswer | undefined,
  sentAtMs: number,
): void {
  const purse = purseOfAsk(till, ask);
  if (!purse || !answer) return;
  if (ask.close) return drop(desk, till, purse);
  if (answer.outcome === 'stale') return fenceOff(desk, till, purse);
  if (answer.lease !== null) {
    takeGrant(purse, answer, sentAtMs);
    purse.outlook = outlookOf(purse, ask, answer, sentAtMs) ?? purse.outlook;
    recordGrant(desk, purse);
  } else {
    purse.refused = purse.lease === null;
    // It may arrive once more, and open the lease then: that is asked about until the lease is known.
    if (ask.scope === 'agent') purse.dirty = true;
  }
  if (ask.scope === 'offline' || till.retired.has(purse)) return;
  if (!answer.obstacle) return;
  const obstacle = metBy(ask, answer, answer.obstacle);
  if (answer.outcome === 'over_budget') refuseAlike(desk, till, ask, obstacle);
  if (wantsMore(ask) && answer.outcome === 'held') noteObstacle(till, ask, obstacle);
}

/**
 * Nothing more comes from this lease: its window is over, or it is not ours any more. It is given back whole once its
 * calls have ended; when even that is stale, it is forgotten.
 */
function fenceOff(desk: Desk, till: Till, purse: Purse): void {
  if (till.retired.has(purse)) return drop(desk, till, purse);
  purse.dirty = true;
  retire(till, purse, desk.ports);
  if (purse.lease === null) desk.ports.forget(purse.nonce);
}

/** What stood in the way before is asked about anew; all asks of a round trip are answered together. */
export function forgetObstacles(till: Till, asks: readonly LeaseAsk[]): void {
  for (const ask of asks) if (ask.scope !== 'offline' && wantsMore(ask)) noteObstacle(till, ask, undefined);
}

/** Others only report, renew or give back, and say nothing of who waits. */
const wantsMore = ({ want }: LeaseAsk): boolean => want.nanodollars !== '0' || want.tokens !== '0';

/** An agent without money may begin task after task: those it got nothing for are not kept. */
export function dropRefused(desk: Desk, till: Till): void {
  for (const purse of refusedTasks(till)) {
    till.tasks.delete(purse.task);
    drop(desk, till, purse);
  }
}

/** Nothing of the lease need survive. */
function drop({ ports }: Desk, till: Till, purse: Purse): void {
  till.retired.delete(purse);
  ports.forget(purse.lease ?? purse.nonce);
}

/** A grant that the journal cannot hold is not used: after a crash nobody would know of it. */
function recordGrant(desk: Desk, purse: Purse): void {
  try {
    recordState(desk, purse);
  } catch (failure) {
    purse.expiresAtMs = 0;
    desk.ports.unanswered(failure);
  }
}
