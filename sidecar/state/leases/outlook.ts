// What is left of the budgets on an agent's path, as the ledger last said, less what was spent and is held here since: so
// that an agent can plan. It only informs; what may be spent is decided by slices.

import type { BudgetLevel, LeaseAnswer, LeaseAsk } from '../../../contract/budget.ts';
import { type Amounts, fromMessage } from '../../../contract/money.ts';
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

type Unit = keyof Amounts;

/** Spent and held here since the ledger's answer that the purse knows of. */
export const sinceOf = (purse: Purse | null | undefined): Amounts => ({
  nanodollars: sinceIn('nanodollars', purse),
  tokens: sinceIn('tokens', purse),
});

function sinceIn(unit: Unit, purse: Purse | null | undefined): bigint {
  const outlook = purse?.outlook;
  if (!purse || !outlook) return 0n;
  const { posted, held } = outlook.purse;
  const known = posted[unit] - outlook.told[unit] + held[unit];
  return outlook.purse === purse ? known : known + purse.posted[unit] + purse.held[unit];
}

/** The tightest of the agent's and the task's budgets, never below zero. Asked for every answer: what nothing limits costs nothing. */
export const leftOf = (main: Purse, offline: Purse | null, task: Purse | undefined): Left => ({
  nanodollars: leftIn('nanodollars', main, offline, task),
  tokens: leftIn('tokens', main, offline, task),
});

function leftIn(unit: Unit, main: Purse, offline: Purse | null, task: Purse | undefined): bigint | null {
  const ofAgent = main.outlook?.left[unit] ?? null;
  const ofTask = task?.outlook?.left[unit] ?? null;
  return lesser(
    ofAgent === null ? null : atLeastNothing(ofAgent - sinceIn(unit, main) - sinceIn(unit, offline)),
    ofTask === null ? null : atLeastNothing(ofTask - sinceIn(unit, task)),
  );
}

const atLeastNothing = (left: bigint): bigint => (left > 0n ? left : 0n);

const lesser = (a: bigint | null, b: bigint | null): bigint | null =>
  a === null || (b !== null && b < a) ? b : a;
