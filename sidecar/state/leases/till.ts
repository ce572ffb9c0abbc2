// A till holds one agent's purses: the main one, the offline one, one per open task, and those whose time is over but
// whose calls are not; and the calls that wait for money.

import type { LeaseAsk, LeaseScope, Obstacle } from '../../../contract/budget.ts';
import type { MoneyRules } from '../../../contract/config/config.ts';
import { type Amounts, isNothing } from '../../../contract/money.ts';
import type { Refusal } from '../../../contract/refusals.ts';
import type { Hold } from './hold.ts';
import { emptyPurse, isLive, type Purse } from './purse.ts';

/** A call that waits for money. */
export interface Waiter {
  readonly task: string;
  readonly amounts: Amounts;
  readonly deadlineMs: number;
  /** What stood in its way when the ledger was last asked. */
  obstacle: Obstacle | undefined;
  resolve(hold: Hold): void;
  reject(refusal: Refusal): void;
}

export interface Till {
  readonly agent: string;
  main: Purse;
  offline: Purse | null;
  readonly tasks: Map<string, Purse>;
  /** Leases whose time is over but whose calls are not. */
  readonly retired: Set<Purse>;
  readonly waiters: Waiter[];
  /** Whom the ledger was last asked for: it may have been refused, its time over, before the answer is here. */
  askedFor: Waiter | null;
  asking: boolean;
  /** The last round trip, ended or not. */
  exchange: Promise<void>;
  /** Leases called back that have not been given back yet. */
  readonly recalled: Set<string>;
  /** Set when the last answer was `held`: ask again soon, or when a call of ours settles. */
  cancelRetry: (() => void) | null;
  cancelReport: (() => void) | null;
  renewing: (() => void) | null;
}

export interface TillRules {
  money(): MoneyRules;
  /** Random, different at every call. */
  nonce(): string;
}

/** A task's purse without a call for so long is given back. */
const TASK_PURSE_IDLE_MS = 15 * 60_000;

export function createTill(agent: string, rules: TillRules): Till {
  return {
    agent,
    main: fresh(rules, 'agent', agent),
    offline: rules.money().offlineNanodollars > 0n ? fresh(rules, 'offline', agent) : null,
    tasks: new Map(),
    retired: new Set(),
    waiters: [],
    askedFor: null,
    asking: false,
    exchange: Promise.resolve(),
    recalled: new Set(),
    cancelRetry: null,
    cancelReport: null,
    renewing: null,
  };
}

function fresh(rules: TillRules, scope: LeaseScope, agent: string, task = ''): Purse {
  return emptyPurse(scope, agent, task, rules.nonce());
}

/** The task's purse, made when it has none. */
export function taskPurse(till: Till, task: string, rules: TillRules): Purse {
  let purse = till.tasks.get(task);
  if (!purse) {
    purse = fresh(rules, 'task', till.agent, task);
    till.tasks.set(task, purse);
  }
  return purse;
}

/** Those that may still pay; not the retired ones. */
export function* pursesOf(till: Till): Iterable<Purse> {
  yield till.main;
  if (till.offline) yield till.offline;
  yield* till.tasks.values();
}

/** The ledger has yet to hear of something: what was spent, or that a lease can be closed. */
export function owesWord(till: Till): boolean {
  for (const purse of till.retired) if (purse.dirty || isNothing(purse.held)) return true;
  for (const purse of pursesOf(till)) if (purse.dirty) return true;
  return false;
}

/** Puts a live purse in its place; another that was there pays for nothing more. */
export function seat(till: Till, purse: Purse): void {
  const { scope, task } = purse;
  const before = scope === 'task' ? till.tasks.get(task) : scope === 'offline' ? till.offline : till.main;
  if (before && before.lease !== null) till.retired.add(before);
  if (scope === 'task') till.tasks.set(task, purse);
  else if (scope === 'offline') till.offline = purse;
  else till.main = purse;
}

/** The purse that an ask was made for; undefined when the till has it no more. */
export function purseOfAsk(till: Till, ask: LeaseAsk): Purse | undefined {
  if (ask.release) {
    for (const purse of till.retired)
      if (purse.lease === ask.lease && purse.scope === ask.scope) return purse;
  }
  if (ask.scope === 'agent') return till.main;
  if (ask.scope === 'offline') return till.offline ?? undefined;
  return till.tasks.get(ask.task ?? '');
}

/** The purse is not the till's any more: a fresh one takes its place, a task's only when it is wanted again. */
function replace(till: Till, purse: Purse, rules: TillRules): void {
  if (purse === till.main) till.main = fresh(rules, 'agent', till.agent);
  else if (purse === till.offline) till.offline = fresh(rules, 'offline', till.agent);
  else if (till.tasks.get(purse.task) === purse) till.tasks.delete(purse.task);
  if (purse.scope === 'agent') till.main.outlook = purse.outlook;
}

/** An expired lease takes no new hold: it waits among the retired for its calls to end. */
export function retireExpired(till: Till, nowMs: number, rules: TillRules): void {
  for (const purse of [...pursesOf(till)]) {
    if (purse.lease !== null && !isLive(purse, nowMs)) retire(till, purse, rules);
  }
}

/** Those that the ledger opens no lease for, and nobody waits for or holds anything of. */
export const refusedTasks = ({ tasks, waiters }: Till): Purse[] =>
  [...tasks.values()].filter(
    ({ task, refused, dirty, held }) =>
      refused && !dirty && isNothing(held) && !waiters.some((waiter) => waiter.task === task),
  );

/** Retires the purses of tasks that have had no call for long. */
export function retireIdleTasks(till: Till, nowMs: number, rules: TillRules): void {
  for (const purse of till.tasks.values()) {
    const idle = isNothing(purse.held) && nowMs - purse.lastUsedMs >= TASK_PURSE_IDLE_MS;
    if (purse.lease !== null && idle) retire(till, purse, rules);
  }
}

/** It pays for nothing more, and waits for its calls to end. */
export function retire(till: Till, purse: Purse, rules: TillRules): void {
  if (purse.lease !== null) till.retired.add(purse);
  replace(till, purse, rules);
}
