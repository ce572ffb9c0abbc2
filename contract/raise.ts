// A raise: what an operator lets one budget have beyond its configured limit, for a while and for a reason. It counts in
// every window of the budget that runs meanwhile, survives reloads and restarts, and ends by itself.

import type { BudgetLine, Level } from './budget.ts';

/** POST /v1/budgets/raise. */
export interface RaiseOrder {
  readonly level: Level;
  /** The department's or agent's name; `agent/task` for a task; null for the fleet, of which there is one. */
  readonly name: string | null;
  readonly unit: BudgetLine['unit'];
  /** Null where the budget has one window in this unit. */
  readonly window: string | null;
  /** Whole nanodollars or tokens. */
  readonly amount: string;
  readonly for_ms: number;
  readonly reason: string;
}

/** GET /v1/budgets/raises: one line per raise in force. */
export interface RaiseLine {
  readonly id: string;
  readonly level: Level;
  readonly name: string;
  readonly unit: BudgetLine['unit'];
  readonly window: string;
  readonly amount: string;
  readonly since: string;
  readonly until: string;
  readonly actor: string;
  readonly reason: string;
}

export const RAISE_MS_MAX = 366 * 86_400_000;
