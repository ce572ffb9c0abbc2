// Money at the sidecar. Holds are drawn from leases, so a call with room in its slices costs no round trip; what does
// not fit waits while the ledger is asked, one request at a time per agent for all that wait. `over_budget` is only
// ever the ledger's word. Single-threaded: a hold across two purses (agent and task) is taken in one step or not at all.

import type { LeaseAnswer, LeaseAsk, LeaseRequest, LeaseResponse, Obstacle } from '../../contract/budget.ts';
import type { MoneyRules } from '../../contract/config/config.ts';
import { type Amounts, fits, minus, NOTHING, plus } from '../../contract/money.ts';
import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';
import { invariant } from '../../kit/invariant.ts';
import { ledgerUnreachable, metBy, overBudget } from './budget-refusals.ts';
import {
  askOf,
  isLive,
  type Purse,
  type PurseState,
  purseFrom,
  roomOf,
  stateOf,
  takeGrant,
} from './purse.ts';
import {
  asksForWaiters,
  createTill,
  giveBack,
  giveBackRecalled,
  offlineAsk,
  purseOfAsk,
  pursesOf,
  replace,
  retireExpired,
  retireIdleTasks,
  type Till,
  type TillRules,
  taskPurse,
  type Waiter,
} from './till.ts';

/** Money set aside for one call. Settled exactly once: with what was used, or with NOTHING to release it. */
export interface Hold {
  readonly amounts: Amounts;
  /** Lease ids it is drawn from: what the journal keeps to settle it after a crash. */
  readonly leases: readonly string[];
  settle(used: Amounts): void;
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
  restore(
    states: readonly PurseState[],
    unsettled: readonly { leases: readonly string[]; amounts: Amounts }[],
  ): void;
  /** Gives everything back and closes the leases; what is in flight must have been settled. */
  close(): Promise<void>;
  /** True when no budget can be drawn because the ledger does not answer. */
  unreachable(): boolean;
  purses(): Iterable<Purse>;
}

export interface LeasePorts {
  readonly instance: string;
  /** Read at each use: it may change while calls run. */
  money(): MoneyRules;
  readonly clock: Clock;
  /** Random, different at every call. */
  nonce(): string;
  /** One round trip to the ledger. Rejects when it does not answer. */
  ask(request: LeaseRequest): Promise<LeaseResponse>;
  /** Writes a purse's state to the journal; throws when it cannot, and then the state is not used. */
  record(state: PurseState): void;
  /** The ledger did not answer, or the journal could not be written. */
  unanswered(failure: unknown): void;
  /** The lease is closed: nothing of it need survive. */
  forget(lease: string): void;
}

const RETRY_MS = 100;
const REPORT_AFTER_MS = 1_000;
/** Below this share of the last grant more is asked for ahead of need. */
const LOW_WATER_DIVISOR = 5n;

export function createLeases(ports: LeasePorts): Leases {
  const { clock, money } = ports;
  const rules: TillRules = { money: () => money(), nonce: () => ports.nonce() };
  const tills = new Map<string, Till>();

  const tillOf = (agent: string): Till => {
    let till = tills.get(agent);
    if (!till) {
      till = createTill(agent, rules);
      tills.set(agent, till);
    }
    return till;
  };
  let failing = false;
  let closing = false;

  /** The purse the agent's money comes from now: the offline slice only while the ledger is away and the main lease is over or used up. */
  const payer = (till: Till, amounts: Amounts, nowMs: number): Purse | null => {
    if (isLive(till.main, nowMs) && fits(amounts, roomOf(till.main))) return till.main;
    const { offline } = till;
    return failing && offline && isLive(offline, nowMs) && fits(amounts, roomOf(offline)) ? offline : null;
  };

  const take = (till: Till, purses: readonly Purse[], amounts: Amounts): Hold => {
    const nowMs = clock.nowMs();
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
        if (till.waiters.length > 0) pump(till);
        scheduleReport(till);
      },
    };
  };

  const tryTake = (till: Till, task: string, amounts: Amounts): Hold | null => {
    const nowMs = clock.nowMs();
    const own = payer(till, amounts, nowMs);
    const tasks = till.tasks.get(task);
    if (!own || !tasks || !isLive(tasks, nowMs) || !fits(amounts, roomOf(tasks))) return null;
    return take(till, [own, tasks], amounts);
  };

  // ---- asking the ledger ----

  /** Serves who waits, then asks for what the first one lacks. */
  const pump = (till: Till): void => {
    expireWaiters(till);
    serve(till);
    if (till.waiters.length > 0 && !till.asking)
      void exchange(till, asksForWaiters(till, clock.nowMs(), rules));
  };

  const exchange = (till: Till, asks: readonly LeaseAsk[]): Promise<void> => {
    till.exchange = exchanged(till, asks);
    return till.exchange;
  };

  const exchanged = async (till: Till, asks: readonly LeaseAsk[]): Promise<void> => {
    if (asks.length === 0) return till.waiters.length > 0 ? scheduleRetry(till) : undefined;
    till.asking = true;
    const sentAtMs = clock.nowMs();
    const answers = await roundTrip(till, asks);
    till.asking = false;
    failing = answers === null;
    for (const [i, ask] of asks.entries()) {
      const purse = purseOfAsk(till, ask);
      if (answers) absorb(till, ask, answers[i], sentAtMs);
      else if (purse) purse.dirty = true;
    }
    if (closing) return;
    scheduleRenewal(till);
    if (till.recalled.size > 0 && !failing) void exchange(till, giveBackRecalled(till));
    else if (till.waiters.length > 0) settleOrRetry(till);
  };

  /** Null when the ledger did not answer: every message may be repeated, so what was asked is simply asked again. */
  const roundTrip = async (till: Till, asks: readonly LeaseAsk[]): Promise<readonly LeaseAnswer[] | null> => {
    try {
      for (const ask of asks) recordState(purseOfAsk(till, ask));
      return (await ports.ask({ agent: till.agent, instance: ports.instance, asks })).answers;
    } catch (failure) {
      ports.unanswered(failure);
      return null;
    }
  };

  const settleOrRetry = (till: Till): void => {
    const first = till.waiters[0]!;
    if (failing || first.obstacle) {
      if (failing) serve(till); // from the offline slice
      return scheduleRetry(till);
    }
    pump(till);
  };

  /** From the front, as far as room goes. */
  const serve = (till: Till): void => {
    for (let first = till.waiters[0]; first; first = till.waiters[0]) {
      const hold = tryTake(till, first.task, first.amounts);
      if (!hold) return;
      till.waiters.shift();
      first.resolve(hold);
    }
  };

  const absorb = (till: Till, ask: LeaseAsk, answer: LeaseAnswer | undefined, sentAtMs: number): void => {
    const purse = purseOfAsk(till, ask);
    if (!purse || !answer) return;
    if (ask.close) {
      till.retired.delete(purse);
      if (purse.lease !== null) ports.forget(purse.lease);
      return;
    }
    if (answer.outcome === 'stale') return forget(till, purse);
    if (answer.lease !== null) {
      takeGrant(purse, answer, sentAtMs);
      recordGrant(purse);
    }
    if (ask.scope === 'offline' || till.retired.has(purse)) return;
    if (answer.outcome === 'over_budget' && answer.obstacle) refuseAll(till, ask, answer.obstacle);
    for (const waiter of till.waiters) {
      if (ask.scope === 'agent' || waiter.task === ask.task) {
        waiter.obstacle = answer.outcome === 'held' ? answer.obstacle : undefined;
      }
    }
  };

  /** The lease is not ours any more: what it still holds is settled against it, the till starts a fresh one. */
  const forget = (till: Till, purse: Purse): void => {
    if (purse.lease !== null) ports.forget(purse.lease);
    till.retired.delete(purse);
    replace(till, purse, rules);
  };

  /** A grant that the journal cannot hold is not used: after a crash nobody would know of it. */
  const recordGrant = (purse: Purse): void => {
    try {
      recordState(purse);
    } catch (failure) {
      purse.expiresAtMs = 0;
      ports.unanswered(failure);
    }
  };

  const recordState = (purse: Purse | undefined): void => {
    const state = purse && stateOf(purse);
    if (state) ports.record(state);
  };

  // ---- refusing ----

  /** The ledger's last word: the first waiter is refused, and with it every one that needs as much of the same. */
  const refuseAll = (till: Till, ask: LeaseAsk, obstacle: Obstacle): void => {
    const first = till.waiters[0];
    if (!first) return;
    const doomed = till.waiters.filter(
      (waiter) => fits(first.amounts, waiter.amounts) && (ask.scope === 'agent' || waiter.task === ask.task),
    );
    for (const waiter of doomed) refuse(till, waiter, overBudget(met(till, waiter, obstacle), false));
  };

  const met = (till: Till, { task, amounts }: Waiter, obstacle: Obstacle): Obstacle => {
    const purse = obstacle.level === 'task' ? till.tasks.get(task) : till.main;
    return metBy(amounts, purse && isLive(purse, clock.nowMs()) ? roomOf(purse) : NOTHING, obstacle);
  };

  const refuse = (till: Till, waiter: Waiter, refusal: Refusal): void => {
    till.waiters.splice(till.waiters.indexOf(waiter), 1);
    waiter.reject(refusal);
  };

  const expireWaiters = (till: Till): void => {
    const now = clock.monotonicMs();
    for (const waiter of till.waiters.filter((each) => now >= each.deadlineMs)) {
      refuse(
        till,
        waiter,
        waiter.obstacle && !failing
          ? overBudget(met(till, waiter, waiter.obstacle), true)
          : ledgerUnreachable(),
      );
    }
  };

  // ---- timers ----

  const scheduleRetry = (till: Till): void => {
    till.cancelRetry ??= clock.after(RETRY_MS, () => {
      till.cancelRetry = null;
      if (!closing) pump(till);
    });
  };

  const scheduleReport = (till: Till): void => {
    if (closing) return;
    till.cancelReport ??= clock.after(REPORT_AFTER_MS, () => {
      till.cancelReport = null;
      report(till);
    });
  };

  /**
   * Tells the ledger what was posted, fetches more where a slice runs low, gives idle tasks' slices back. A purse whose
   * holds were forced may have no lease yet: it is asked for here.
   */
  const report = (till: Till): void => {
    if (closing) return;
    if (till.asking) return scheduleReport(till);
    const nowMs = clock.nowMs();
    const asks = retireExpired(till, nowMs, rules);
    if (till.main.dirty) asks.push(askOf(till.main, refill(till.main), NOTHING));
    for (const purse of till.tasks.values()) if (purse.dirty) asks.push(askOf(purse, NOTHING, NOTHING));
    if (till.offline?.dirty && till.offline.lease !== null) asks.push(askOf(till.offline, NOTHING, NOTHING));
    if (asks.length > 0) void exchange(till, asks).then(() => failing && scheduleReport(till));
  };

  const refill = (purse: Purse): Amounts => {
    const room = roomOf(purse);
    const low = room.nanodollars * LOW_WATER_DIVISOR < purse.granted.nanodollars;
    return low && !purse.unlimited.nanodollars
      ? { nanodollars: purse.granted.nanodollars, tokens: 0n }
      : NOTHING;
  };

  /** At half of a lease's life it is renewed, and idle tasks' leases are given back. */
  const scheduleRenewal = (till: Till): void => {
    const leftMs = till.main.expiresAtMs - clock.nowMs();
    if (till.main.lease === null || leftMs <= 0) return;
    till.renewing?.();
    till.renewing = clock.after(Math.max(leftMs / 2, RETRY_MS), () => {
      till.renewing = null;
      if (closing) return;
      if (till.asking) return scheduleRenewal(till);
      const nowMs = clock.nowMs();
      retireIdleTasks(till, nowMs, rules);
      const asks = retireExpired(till, nowMs, rules);
      asks.push(askOf(till.main, NOTHING, NOTHING), ...offlineAsk(till, nowMs, rules));
      void exchange(till, asks);
    });
  };

  return {
    hold(agent, task, amounts) {
      const till = tillOf(agent);
      const hold = till.waiters.length === 0 ? tryTake(till, task, amounts) : null;
      if (hold) return hold;
      return new Promise<Hold>((resolve, reject) => {
        const deadlineMs = clock.monotonicMs() + money().holdWaitMs;
        till.waiters.push({ task, amounts, deadlineMs, obstacle: undefined, resolve, reject });
        clock.after(money().holdWaitMs + 1, () => expireWaiters(till));
        if (!till.asking) pump(till);
      });
    },
    force(agent, task, amounts) {
      const till = tillOf(agent);
      const ready = tryTake(till, task, amounts);
      if (ready) return ready;
      const purses = [till.main, taskPurse(till, task, rules)];
      const hold = take(till, purses, amounts);
      if (!till.asking)
        void exchange(till, [
          ...retireExpired(till, clock.nowMs(), rules),
          ...purses.map((purse) => askOf(purse, NOTHING, NOTHING)),
        ]);
      return hold;
    },
    async told(agent) {
      const till = tills.get(agent);
      if (!till) return;
      while (till.asking) await till.exchange;
      report(till);
      await till.exchange;
    },
    warm(agent) {
      const till = tillOf(agent);
      if (till.asking || till.main.lease !== null) return;
      void exchange(till, [askOf(till.main, NOTHING, NOTHING), ...offlineAsk(till, clock.nowMs(), rules)]);
    },
    recall(lease) {
      for (const till of tills.values()) {
        const mine = [till.main, till.offline, ...till.tasks.values()].some(
          (purse) => purse?.lease === lease,
        );
        if (!mine) continue;
        till.recalled.add(lease);
        if (!till.asking && !closing) void exchange(till, giveBackRecalled(till));
      }
    },
    restore(states, unsettled) {
      for (const state of states) {
        const purse = purseFrom(state);
        const till = tillOf(state.agent);
        for (const call of unsettled) {
          if (call.leases.includes(state.lease)) purse.posted = plus(purse.posted, call.amounts);
        }
        if (!isLive(purse, clock.nowMs())) till.retired.add(purse);
        else if (state.scope === 'task') till.tasks.set(state.task, purse);
        else if (state.scope === 'offline') till.offline = purse;
        else till.main = purse;
        recordState(purse);
        scheduleReport(till);
      }
    },
    async close() {
      closing = true;
      for (const till of tills.values()) {
        for (const waiter of [...till.waiters])
          refuse(till, waiter, new Refusal('draining', 'The sidecar is stopping.'));
        const live = [...pursesOf(till), ...till.retired];
        const purses = live.filter((purse) => purse.lease !== null);
        for (const purse of purses) till.retired.add(purse);
        if (purses.length > 0) await exchange(till, purses.map(giveBack));
      }
    },
    unreachable: () => failing,
    *purses() {
      for (const till of tills.values()) {
        yield* pursesOf(till);
        yield* till.retired;
      }
    },
  };
}
