// The calls that wait for money: served from the front as far as room goes, refused when the ledger says so for good or
// their time is over. `over_budget` is only ever the ledger's word; where it said none, the ledger is unreachable.

import type { LeaseAsk, Obstacle } from '../../../contract/budget.ts';
import { type Amounts, fits, NOTHING } from '../../../contract/money.ts';
import type { Refusal } from '../../../contract/refusals.ts';
import type { Desk } from './desk.ts';
import type { Hold } from './hold.ts';
import { isLive, roomOf } from './purse.ts';
import { ledgerUnreachable, metBy, overBudget } from './refusals.ts';
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
  for (const waiter of till.waiters) if (isFor(ask, waiter)) waiter.obstacle = obstacle;
}

/** The ledger's last word: whoever was asked for is refused, and with it every one that needs as much of the same. */
export function refuseAlike(desk: Desk, till: Till, ask: LeaseAsk, obstacle: Obstacle): void {
  const { askedFor } = till;
  if (!askedFor) return;
  const doomed = till.waiters.filter(
    (waiter) => fits(askedFor.amounts, waiter.amounts) && isFor(ask, waiter),
  );
  for (const waiter of doomed) {
    noteStopped(desk, till.agent, waiter.task, obstacle);
    refuse(till, waiter, overBudget(asMet(desk, till, waiter, obstacle), false));
  }
}

const isFor = (ask: LeaseAsk, waiter: Waiter): boolean => ask.scope === 'agent' || waiter.task === ask.task;

/** Refuses those that have waited for as long as a call may. */
export function refuseOverdue(desk: Desk, till: Till): void {
  const now = desk.ports.clock.monotonicMs();
  // the ledger is asked for who waits first: what stops that one kept those behind it from being asked for
  const inFront = till.waiters[0]?.obstacle;
  for (const waiter of till.waiters.filter((each) => now >= each.deadlineMs)) {
    const obstacle = waiter.obstacle ?? inFront;
    const inVain = obstacle && !desk.failing;
    refuse(
      till,
      waiter,
      inVain ? overBudget(asMet(desk, till, waiter, obstacle), true) : ledgerUnreachable(),
    );
  }
  const next = till.waiters[0];
  if (next) next.obstacle ??= inFront;
}

export function refuse(till: Till, waiter: Waiter, refusal: Refusal): void {
  till.waiters.splice(till.waiters.indexOf(waiter), 1);
  waiter.reject(refusal);
}

function asMet({ ports }: Desk, till: Till, { task, amounts }: Waiter, obstacle: Obstacle): Obstacle {
  const purse = obstacle.level === 'task' ? till.tasks.get(task) : till.main;
  return metBy(amounts, purse && isLive(purse, ports.clock.nowMs()) ? roomOf(purse) : NOTHING, obstacle);
}
