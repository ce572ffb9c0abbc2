// What is left of the budgets on an agent's path, as the ledger last said, less what was spent and is held here since: so
// that an agent can plan. It only informs; what may be spent is decided by slices.

import type { BudgetLevel, LeaseAnswer, LeaseAsk } from '../../../contract/budget.ts';
import { type Amounts, fromMessage, minus, NOTHING, plus } from '../../../contract/money.ts';
import type { Purse } from './purse.ts';

/** One answer of the ledger about the accounts of one lease. */
export interface Outlook {
  /** Whose lease it was told of. */
  readonly purse: Purse;
  /** What the ledger knew that this purse had posted. */
  readonly told: Amounts;
  readonly levels: readonly BudgetLevel[];
  /** Wall clock, when the ask left. */
  readonly atMs: number;
  /** The least that is left in each unit; null where nothing limits it. */
  readonly left: Left;
}

export interface Left {
  readonly nanodollars: bigint | null;
  readonly tokens: bigint | null;
}

/** Null from a collector of an earlier release. */
export function outlookOf(
  purse: Purse,
  ask: LeaseAsk,
  { levels }: LeaseAnswer,
  sentAtMs: number,
): Outlook | null {
  if (!levels) return null;
  const left = { nanodollars: leastLeft(levels, 'nanodollars'), tokens: leastLeft(levels, 'tokens') };
  return { purse, told: fromMessage(ask.posted), levels, atMs: sentAtMs, left };
}

function leastLeft(levels: readonly BudgetLevel[], unit: BudgetLevel['unit']): bigint | null {
  let least: bigint | null = null;
  for (const level of levels) {
    if (level.unit === unit) least = lesser(least, BigInt(level.limit) - BigInt(level.posted));
  }
  return least;
}

/** Spent and held here since the ledger's answer that the purse knows of. */
export function sinceOf(purse: Purse | null | undefined): Amounts {
  const outlook = purse?.outlook;
  if (!purse || !outlook) return NOTHING;
  const known = plus(minus(outlook.purse.posted, outlook.told), outlook.purse.held);
  return outlook.purse === purse ? known : plus(known, plus(purse.posted, purse.held));
}

/** The tightest of the agent's and the task's budgets, never below zero. */
export function leftOf(main: Purse, offline: Purse | null, task: Purse | undefined): Left {
  const spent = offline ? plus(sinceOf(main), sinceOf(offline)) : sinceOf(main);
  const ofTask = task?.outlook ? sinceOf(task) : NOTHING;
  const unit = (which: keyof Amounts): bigint | null =>
    lesser(less(main.outlook?.left[which], spent[which]), less(task?.outlook?.left[which], ofTask[which]));
  return { nanodollars: unit('nanodollars'), tokens: unit('tokens') };
}

const less = (left: bigint | null | undefined, spent: bigint): bigint | null =>
  left == null ? null : left > spent ? left - spent : 0n;

const lesser = (a: bigint | null, b: bigint | null): bigint | null =>
  a === null || (b !== null && b < a) ? b : a;
