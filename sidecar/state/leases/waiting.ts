// The calls that wait for money: served from the front as far as room goes, refused when the ledger says so for good or
// their time is over. `over_budget` is only ever the ledger's word; where it said none, the ledger is unreachable.

import type { LeaseAsk, Obstacle } from '../../../contract/budget.ts';
import { type Amounts, fits } from '../../../contract/money.ts';
import type { Refusal } from '../../../contract/refusals.ts';
import type { Desk } from './desk.ts';
import type { Hold } from './hold.ts';
import { fitsOnceReleased, forAll, ledgerUnreachable, overBudget } from './refusals.ts';
import { noteStopped } from './stopped.ts';
import type { Till, Waiter } from './till.ts';

/** From the front, as far as room goes. */
export function serve(till: Till, tryTake: (task: string, amounts: Amounts) => Hold | null): void {
  for (let first = till.waiters[0]; first; first = till.waiters[0]) {
    const hold = tryTake(first.task, first.amounts);
    if (!hold) return;
    till.waiters.shift();
    first.resolve(hold);
  }
}

/** What stands in the way of all that the ask was made for; undefined when nothing does. */
export function noteObstacle(till: Till, ask: LeaseAsk, obstacle: Obstacle | undefined): void {
  for (const waiter of till.waiters)
    if (isFor(ask, waiter)) waiter.obstacle = obstacle && seenFrom(waiter, till.askedFor, obstacle);
}

/** The ledger is asked for who waits first; whoever stands behind has what that one needs in its way as well. */
function seenFrom(waiter: Waiter, inFront: Waiter | null, obstacle: Obstacle): Obstacle {
  const { unit, held } = obstacle;
  if (!inFront || waiter === inFront || unit === 'tasks') return obstacle;
  return { ...obstacle, held: (BigInt(held) + inFront.amounts[unit]).toString() };
}

/** Another task's budget stands in its way only by whoever waits in front. */
const binds = ({ level, name }: Obstacle, agent: string, task: string): boolean =>
  level !== 'task' || name === `${agent}/${task}`;

/** The ledger's last word: whoever was asked for is refused, and with it every one that needs as much of the same. */
export function refuseAlike(desk: Desk, till: Till, ask: LeaseAsk, obstacle: Obstacle): void {
  const { askedFor } = till;
  if (!askedFor) return;
  const doomed = till.waiters.filter(
    (waiter) => fits(askedFor.amounts, waiter.amounts) && isFor(ask, waiter),
  );
  for (const waiter of doomed) {
    noteStopped(desk, till.agent, waiter.task, obstacle);
    refuse(till, waiter, overBudget(forAll(waiter.amounts, obstacle), false));
  }
}

const isFor = (ask: LeaseAsk, waiter: Waiter): boolean => ask.scope === 'agent' || waiter.task === ask.task;

/** Refuses those that have waited for as long as a call may; `serveNext`: who stood behind may have been kept by them alone. */
export function refuseOverdue(desk: Desk, till: Till, serveNext: () => void): void {
  const now = desk.ports.clock.monotonicMs();
  const nextOverdue = (): Waiter | undefined => till.waiters.find(({ deadlineMs }) => now >= deadlineMs);
  const first = till.waiters[0];
  if (first?.obstacle)
    for (const waiter of till.waiters) waiter.obstacle ??= seenFrom(waiter, first, first.obstacle);
  for (let waiter = nextOverdue(); waiter; waiter = nextOverdue()) {
    if (waiter.obstacle && !desk.failing) refuseInVain(desk, till, waiter, waiter.obstacle);
    else refuse(till, waiter, ledgerUnreachable());
    serveNext();
  }
}

/** It waited for holds to end. Behind others it may need more than what is spent leaves: that is no use to try again. */
function refuseInVain(desk: Desk, till: Till, waiter: Waiter, obstacle: Obstacle): void {
  const met = forAll(waiter.amounts, obstacle);
  const mayRetry = fitsOnceReleased(met) || !binds(obstacle, till.agent, waiter.task);
  if (!mayRetry) noteStopped(desk, till.agent, waiter.task, obstacle);
  refuse(till, waiter, overBudget(met, mayRetry));
}

export function refuse(till: Till, waiter: Waiter, refusal: Refusal): void {
  till.waiters.splice(till.waiters.indexOf(waiter), 1);
  waiter.reject(refusal);
}
