// A till holds one agent's purses: the main one, the offline one, one per open task, and those whose time is over but
// whose calls are not. Here stands what is to be asked of the ledger for them; leases.ts decides when, and asks.

import type { LeaseAsk, LeaseScope, Obstacle } from '../../contract/budget.ts';
import type { MoneyRules } from '../../contract/config/config.ts';
import { type Amounts, isNothing, NOTHING, plus } from '../../contract/money.ts';
import type { Refusal } from '../../contract/refusals.ts';
import type { Hold } from './leases.ts';
import { askOf, emptyPurse, isLive, lackOf, type Purse } from './purse.ts';

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

export function taskPurse(till: Till, task: string, rules: TillRules): Purse {
  let purse = till.tasks.get(task);
  if (!purse) {
    purse = fresh(rules, 'task', till.agent, task);
    till.tasks.set(task, purse);
  }
  return purse;
}

export function* pursesOf(till: Till): Iterable<Purse> {
  yield till.main;
  if (till.offline) yield till.offline;
  yield* till.tasks.values();
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
export function replace(till: Till, purse: Purse, rules: TillRules): void {
  if (purse === till.main) till.main = fresh(rules, 'agent', till.agent);
  else if (purse === till.offline) till.offline = fresh(rules, 'offline', till.agent);
  else if (till.tasks.get(purse.task) === purse) till.tasks.delete(purse.task);
}

// ---- what to ask ----

/** What the first waiting call lacks, with as much as all that wait could use. */
export function asksForWaiters(till: Till, nowMs: number, rules: TillRules): LeaseAsk[] {
  const first = till.waiters[0]!;
  const asks = [...retireExpired(till, nowMs, rules), ...giveBackRecalled(till)];
  asks.push(...askForLack(till.main, first.amounts, sumOf(till.waiters), nowMs));
  const ofTask = till.waiters.filter((waiter) => waiter.task === first.task);
  asks.push(...askForLack(taskPurse(till, first.task, rules), first.amounts, sumOf(ofTask), nowMs));
  return [...asks, ...offlineAsk(till, nowMs, rules)];
}

const sumOf = (waiters: readonly Waiter[]): Amounts =>
  waiters.reduce((total, { amounts }) => plus(total, amounts), NOTHING);

function askForLack(purse: Purse, first: Amounts, all: Amounts, nowMs: number): LeaseAsk[] {
  const need = lackOf(purse, first, nowMs);
  if (purse.lease !== null && isNothing(need)) return [];
  return [askOf(purse, larger(need, lackOf(purse, all, nowMs)), need)];
}

/** An offline slice is drawn once, beside the first grant, and again when it is over. */
export function offlineAsk({ offline }: Till, nowMs: number, { money }: TillRules): LeaseAsk[] {
  if (!offline || isLive(offline, nowMs)) return [];
  return [askOf(offline, { nanodollars: money().offlineNanodollars, tokens: 0n }, NOTHING)];
}

/** An expired lease takes no new hold: it is closed, or waits for its calls; the till starts a fresh one. */
export function retireExpired(till: Till, nowMs: number, rules: TillRules): LeaseAsk[] {
  for (const purse of [...pursesOf(till)]) {
    if (purse.lease !== null && !isLive(purse, nowMs)) retire(till, purse, rules);
  }
  return [...till.retired].filter((purse) => purse.dirty || isNothing(purse.held)).map(giveBack);
}

/** Gives back the purses of tasks that have had no call for long. */
export function retireIdleTasks(till: Till, nowMs: number, rules: TillRules): void {
  for (const purse of till.tasks.values()) {
    const idle = isNothing(purse.held) && nowMs - purse.lastUsedMs >= TASK_PURSE_IDLE_MS;
    if (purse.lease !== null && idle) retire(till, purse, rules);
  }
}

function retire(till: Till, purse: Purse, rules: TillRules): void {
  till.retired.add(purse);
  replace(till, purse, rules);
}

export const giveBack = (purse: Purse): LeaseAsk =>
  askOf(purse, NOTHING, NOTHING, { release: true, close: isNothing(purse.held) });

/** What other sidecars need of this till's unspent slices. */
export function giveBackRecalled(till: Till): LeaseAsk[] {
  const called = [...pursesOf(till)].filter(({ lease }) => lease !== null && till.recalled.has(lease));
  till.recalled.clear();
  return called.map((purse) => askOf(purse, NOTHING, NOTHING, { release: true }));
}

const larger = (a: Amounts, b: Amounts): Amounts => ({
  nanodollars: a.nanodollars > b.nanodollars ? a.nanodollars : b.nanodollars,
  tokens: a.tokens > b.tokens ? a.tokens : b.tokens,
});
