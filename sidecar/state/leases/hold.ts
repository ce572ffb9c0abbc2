// Taking a hold. Everything runs in one thread, so a hold across two purses (the agent's and the task's) is taken in one
// step or not at all, and costs no round trip.

import { type Amounts, fits, minus, plus } from '../../../contract/money.ts';
import { invariant } from '../../../kit/invariant.ts';
import { type Left, leftOf } from './outlook.ts';
import { isLive, type Purse, roomOf } from './purse.ts';
import type { Till } from './till.ts';

/** Money set aside for one call. Settled exactly once: with what was used, or with NOTHING to release it. */
export interface Hold {
  readonly amounts: Amounts;
  /** Lease ids it is drawn from: what the journal keeps to settle it after a crash. */
  readonly leases: readonly string[];
  settle(used: Amounts): void;
  /** What is left of the tightest budgets on its path, with all that is held taken as spent. */
  left(): Left;
}

/** What a hold must know of its surroundings. */
export interface Surroundings {
  nowMs(): number;
  /** The ledger does not answer: the offline slice may pay. */
  isOffline(): boolean;
  tasksAreLimited(agent: string): boolean;
  /** A hold on this till was settled. */
  settled(till: Till): void;
}

/** Null when the slices here have no room for it. */
export function tryTake(till: Till, task: string, amounts: Amounts, around: Surroundings): Hold | null {
  const nowMs = around.nowMs();
  const own = payer(till, amounts, nowMs, around);
  if (!own) return null;
  const tasks = till.tasks.get(task);
  if (tasks && isLive(tasks, nowMs))
    return fits(amounts, roomOf(tasks)) ? take(till, [own, tasks], amounts, around) : null;
  return mayBeginAlone(till, around) ? take(till, [own], amounts, around) : null;
}

/** The ledger cannot open the task now, and nothing that it knows could stand in the task's way. */
const mayBeginAlone = ({ agent }: Till, around: Surroundings): boolean =>
  around.isOffline() && !around.tasksAreLimited(agent);

/** The purse the agent's money comes from now: the offline one only where the main lease is over or used up. */
function payer(till: Till, amounts: Amounts, nowMs: number, around: Surroundings): Purse | null {
  if (canPay(till.main, amounts, nowMs)) return till.main;
  return till.offline && around.isOffline() && canPay(till.offline, amounts, nowMs) ? till.offline : null;
}

const canPay = (purse: Purse, amounts: Amounts, nowMs: number): boolean =>
  isLive(purse, nowMs) && fits(amounts, roomOf(purse));

/** Takes it whether or not there is room. */
export function take(till: Till, purses: readonly Purse[], amounts: Amounts, around: Surroundings): Hold {
  const nowMs = around.nowMs();
  for (const purse of purses) {
    purse.held = plus(purse.held, amounts);
    purse.lastUsedMs = nowMs;
  }
  let settled = false;
  return {
    amounts,
    leases: purses.map((purse) => purse.lease).filter((lease) => lease !== null),
    settle(used) {
      invariant(!settled, 'a hold is settled once');
      settled = true;
      for (const purse of purses) {
        purse.held = minus(purse.held, amounts);
        purse.posted = plus(purse.posted, used);
        purse.dirty = true;
      }
      around.settled(till);
    },
    left: () => leftOf(till.main, till.offline, purses[1]),
  };
}
