// What a till and the ledger say to each other, and when: one request at a time, for all that wait. What got no answer
// is asked again, for every message may be repeated.
//   a call lacks room ─► pump ─► exchange ─► answered: serve, ask on ── not answered, or only held money is in the way:
//                          ▲                                            again in 100 ms, until hold_wait is over
//                          └── a call settled
//   a call settled ─► report within 1 s            half of the lease's life is over ─► renew

import type { LeaseAnswer, LeaseAsk } from '../../../contract/budget.ts';
import type { Amounts } from '../../../contract/money.ts';
import { absorb, dropRefused, forgetObstacles } from './answers.ts';
import { asksForWaiters, asksToRenew, asksToReport, giveBackRecalled } from './asks.ts';
import { type Desk, recordState } from './desk.ts';
import { type Hold, type Surroundings, tryTake } from './hold.ts';
import { goesOn } from './stopped.ts';
import { owesWord, purseOfAsk, retireIdleTasks, type Till } from './till.ts';
import { refuseOverdue, serve } from './waiting.ts';

export interface Conversation {
  /** From the slices at hand, or null. */
  tryTake(till: Till, task: string, amounts: Amounts): Hold | null;
  readonly around: Surroundings;
  /** Serves who waits, and refuses those whose time is over. */
  attend(till: Till): void;
  /** Attends to who waits, then asks for what the first one lacks. */
  pump(till: Till): void;
  /** One round trip; resolves when it is over, answered or not. */
  exchange(till: Till, asks: readonly LeaseAsk[]): Promise<void>;
  /** Tells the ledger now what it has not heard yet. */
  report(till: Till): void;
  scheduleReport(till: Till): void;
}

const RETRY_MS = 100;
const REPORT_AFTER_MS = 1_000;
const REPORT_AGAIN_MS = 5_000;

export function createConversation(desk: Desk): Conversation {
  const { ports } = desk;
  const { clock } = ports;

  const around: Surroundings = {
    nowMs: () => clock.nowMs(),
    isOffline: () => desk.failing,
    tasksAreLimited: (agent) => ports.tasksAreLimited(agent),
    settled,
  };
  const takeFor = (till: Till, task: string, amounts: Amounts): Hold | null => {
    const hold = tryTake(till, task, amounts, around);
    if (hold) goesOn(desk, till.agent, task);
    return hold;
  };

  function settled(till: Till): void {
    if (till.waiters.length > 0) pump(till);
    scheduleReport(till);
  }

  function serveAll(till: Till): void {
    serve(till, (task, amounts) => takeFor(till, task, amounts));
  }

  function attend(till: Till): void {
    serveAll(till); // first: money that came in the last moment came in time
    refuseOverdue(desk, till, () => serveAll(till));
  }

  function pump(till: Till): void {
    attend(till);
    if (till.waiters.length > 0 && !till.asking)
      void exchange(till, asksForWaiters(till, clock.nowMs(), ports));
  }

  function exchange(till: Till, asks: readonly LeaseAsk[]): Promise<void> {
    till.exchange = exchanged(till, asks);
    return till.exchange;
  }

  async function exchanged(till: Till, asks: readonly LeaseAsk[]): Promise<void> {
    if (asks.length === 0) return till.waiters.length > 0 ? scheduleRetry(till) : undefined;
    till.asking = true;
    const sentAtMs = clock.nowMs();
    const answers = await roundTrip(till, asks);
    till.asking = false;
    desk.failing = answers === null;
    if (answers) forgetObstacles(till, asks);
    for (const [i, ask] of asks.entries()) {
      if (answers) absorb(desk, till, ask, answers[i], sentAtMs);
      else keepDirty(till, ask);
    }
    dropRefused(desk, till);
    if (desk.closing) return;
    scheduleRenewal(till);
    if (owesWord(till)) scheduleReport(till);
    const givenBack = answers ? giveBackRecalled(till) : [];
    if (givenBack.length > 0) void exchange(till, givenBack);
    else if (till.waiters.length > 0) serveOrRetry(till);
  }

  /** Null when the ledger did not answer. */
  async function roundTrip(till: Till, asks: readonly LeaseAsk[]): Promise<readonly LeaseAnswer[] | null> {
    try {
      for (const ask of asks) recordState(desk, purseOfAsk(till, ask));
      return (await ports.ask({ agent: till.agent, instance: ports.instance, asks })).answers;
    } catch (failure) {
      ports.unanswered(failure);
      return null;
    }
  }

  function keepDirty(till: Till, ask: LeaseAsk): void {
    const purse = purseOfAsk(till, ask);
    if (purse) purse.dirty = true;
  }

  function serveOrRetry(till: Till): void {
    if (!desk.failing && !till.waiters[0]!.obstacle) return pump(till);
    if (desk.failing) serveAll(till); // from the offline slice
    scheduleRetry(till);
  }

  function scheduleRetry(till: Till): void {
    till.cancelRetry ??= clock.after(RETRY_MS, () => {
      till.cancelRetry = null;
      if (!desk.closing) pump(till);
    });
  }

  function scheduleReport(till: Till): void {
    if (desk.closing) return;
    till.cancelReport ??= clock.after(desk.failing ? REPORT_AGAIN_MS : REPORT_AFTER_MS, () => {
      till.cancelReport = null;
      report(till);
    });
  }

  function report(till: Till): void {
    if (desk.closing) return;
    if (till.asking) return scheduleReport(till);
    const asks = asksToReport(till, clock.nowMs(), ports);
    if (asks.length > 0) void exchange(till, asks);
  }

  /** At half of a lease's life it is renewed, and idle tasks' leases are given back. */
  function scheduleRenewal(till: Till): void {
    const leftMs = till.main.expiresAtMs - clock.nowMs();
    if (till.main.lease === null || leftMs <= 0) return;
    till.renewing?.();
    till.renewing = clock.after(Math.max(leftMs / 2, RETRY_MS), () => renew(till));
  }

  function renew(till: Till): void {
    till.renewing = null;
    if (desk.closing) return;
    if (till.asking) return scheduleRenewal(till);
    const nowMs = clock.nowMs();
    retireIdleTasks(till, nowMs, ports);
    void exchange(till, asksToRenew(till, nowMs, ports));
  }

  return { tryTake: takeFor, around, attend, pump, exchange, report, scheduleReport };
}
