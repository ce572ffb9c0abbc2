// Money at the sidecar. Holds are drawn from leases, so a call with room in its slices costs no round trip; what does
// not fit waits while the ledger is asked, one request at a time per agent for all that wait.
//
//   leases ──► conversation (when to ask) ──► asks, answers (what is said) ──► till, waiting, hold ──► purse

import type { WaitingTask } from '../../../contract/budget.ts';
import { type Amounts, NOTHING, plus } from '../../../contract/money.ts';
import { Refusal } from '../../../contract/refusals.ts';
import { askForOffline, giveBack, giveBackExpired, giveBackRecalled } from './asks.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { type Desk, type LeasePorts, openDesk, recordState, tillOf } from './desk.ts';
import { type Hold, take } from './hold.ts';
import { leaseClock } from './lease-clock.ts';
import { askOf, isLive, type Purse, type PurseState, purseFrom } from './purse.ts';
import { goesOn, waitingTasks } from './stopped.ts';
import { pursesOf, seat, type Till, taskPurse } from './till.ts';
import { refuse } from './waiting.ts';

/** A call that a crash left without an end: it is posted at what it held. */
export interface UnsettledHold {
  readonly leases: readonly string[];
  readonly amounts: Amounts;
}

export interface Leases {
  /** Throws Refusal `over_budget` or `ledger_unreachable` after at most `hold_wait`. */
  hold(agent: string, task: string, amounts: Amounts): Hold | Promise<Hold>;
  /** Takes the hold whether or not there is room (observe mode); the ledger is asked in the background. */
  force(agent: string, task: string, amounts: Amounts): Hold;
  /** Resolves when the ledger was told of every call that has ended, or did not answer: a task is then known there. */
  told(agent: string): Promise<void>;
  /** Asks for a first slice, so that the first call need not wait. */
  warm(agent: string): void;
  /** Gives back what is unspent of a lease that the ledger calls back. */
  recall(lease: string): void;
  /** Puts back what the journal held at a crash: leases, and what their calls without an end must be posted at. */
  restore(states: readonly PurseState[], unsettled: readonly UnsettledHold[]): void;
  /** Gives everything back and closes the leases; what is in flight must have been settled. */
  close(): Promise<void>;
  /** True when no budget can be drawn because the ledger does not answer. */
  unreachable(): boolean;
  purses(): Iterable<Purse>;
  /** What of an agent waits for money. */
  waiting(agent: string): readonly WaitingTask[];
  /** The task is over: it waits for nothing. */
  taskEnded(agent: string, task: string): void;
}

export function createLeases(given: LeasePorts): Leases {
  const ports = { ...given, clock: leaseClock(given.clock) };
  const desk = openDesk(ports);
  const talk = createConversation(desk);
  const { clock } = ports;

  return {
    hold(agent, task, amounts) {
      const till = tillOf(desk, agent);
      const hold = till.waiters.length === 0 ? talk.tryTake(till, task, amounts) : null;
      return hold ?? waitForHold(desk, talk, till, task, amounts);
    },
    force(agent, task, amounts) {
      const till = tillOf(desk, agent);
      const ready = talk.tryTake(till, task, amounts);
      if (ready) return ready;
      const purses = [till.main, taskPurse(till, task, ports)];
      const hold = take(till, purses, amounts, talk.around);
      if (!till.asking)
        void talk.exchange(till, [
          ...giveBackExpired(till, clock.nowMs(), ports),
          ...purses.map((purse) => askOf(purse, NOTHING, NOTHING)),
        ]);
      return hold;
    },
    async told(agent) {
      const till = desk.tills.get(agent);
      if (!till) return;
      while (till.asking) await till.exchange;
      talk.report(till);
      await till.exchange;
    },
    warm(agent) {
      const till = tillOf(desk, agent);
      if (till.asking || till.main.lease !== null) return;
      const first = askOf(till.main, NOTHING, NOTHING);
      void talk.exchange(till, [first, ...askForOffline(till, clock.nowMs(), ports)]);
    },
    recall(lease) {
      for (const till of desk.tills.values()) {
        const mine = [...pursesOf(till)].some((purse) => purse.lease === lease);
        if (!mine) continue;
        till.recalled.add(lease);
        if (!till.asking && !desk.closing) void talk.exchange(till, giveBackRecalled(till));
      }
    },
    restore(states, unsettled) {
      // Those only asked for last: the ledger may have opened them beside the ones before.
      for (const state of states.toSorted((a, b) => Number(a.lease === null) - Number(b.lease === null))) {
        const till = tillOf(desk, state.agent);
        const purse = putBack(till, state, unsettled, clock.nowMs());
        recordState(desk, purse);
        talk.scheduleReport(till);
      }
    },
    async close() {
      desk.closing = true;
      for (const till of desk.tills.values()) await closeTill(till, talk);
    },
    unreachable: () => desk.failing,
    waiting: (agent) => waitingTasks(desk, agent),
    taskEnded: (agent, task) => goesOn(desk, agent, task),
    *purses() {
      for (const till of desk.tills.values()) {
        yield* pursesOf(till);
        yield* till.retired;
      }
    },
  };
}

function waitForHold(
  desk: Desk,
  talk: Conversation,
  till: Till,
  task: string,
  amounts: Amounts,
): Promise<Hold> {
  const { clock, money } = desk.ports;
  const { holdWaitMs } = money();
  return new Promise<Hold>((resolve, reject) => {
    const deadlineMs = clock.monotonicMs() + holdWaitMs;
    till.waiters.push({ task, amounts, deadlineMs, obstacle: undefined, resolve, reject });
    clock.after(holdWaitMs + 1, () => talk.attend(till));
    if (!till.asking) talk.pump(till);
  });
}

/** A purse as the journal kept it, with what its calls without an end held posted. */
function putBack(till: Till, state: PurseState, unsettled: readonly UnsettledHold[], nowMs: number): Purse {
  const purse = purseFrom(state);
  for (const { leases, amounts } of unsettled) {
    if (state.lease !== null && leases.includes(state.lease)) purse.posted = plus(purse.posted, amounts);
  }
  if (purse.lease === null || isLive(purse, nowMs)) seat(till, purse);
  else till.retired.add(purse);
  return purse;
}

async function closeTill(till: Till, talk: Conversation): Promise<void> {
  for (const waiter of [...till.waiters])
    refuse(till, waiter, new Refusal('draining', 'The sidecar is stopping.'));
  const purses = [...pursesOf(till), ...till.retired].filter((purse) => purse.lease !== null);
  for (const purse of purses) till.retired.add(purse);
  if (purses.length > 0) await talk.exchange(till, purses.map(giveBack));
}
