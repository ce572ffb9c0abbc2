// What the ledger tells people about itself: entries, leases settled late, write-offs. Amounts are strings in `unit`,
// times ISO 8601.

export type LedgerUnit = 'nanodollars' | 'tokens';

/** GET /v1/budgets/entries: one move, never changed. */
export interface LedgerEntry {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  /** Empty where it is of no lease: a limit, a task. */
  readonly lease: string;
  readonly agent: string;
  readonly instance: string;
  readonly unit: LedgerUnit | '';
  /** By how much the slice grew, or shrank. */
  readonly granted: string;
  /** How much more counts as spent, or less. */
  readonly posted: string;
  /** `level/name by the window`, with commas between. */
  readonly accounts: string;
  readonly why: string;
}

/** GET /v1/budgets/late: a lease that was heard of after it had expired or ended, in one unit. */
export interface LateLease {
  readonly lease: string;
  readonly agent: string;
  readonly instance: string;
  readonly scope: string;
  readonly state: 'open' | 'closed' | 'written_off';
  readonly expired_at: string;
  readonly late_at: string;
  readonly unit: LedgerUnit;
  /** What counts as spent now. */
  readonly posted: string;
  readonly written_off: string;
  /** What its report changed: less than zero was given back. */
  readonly corrected: string;
}

/** POST /v1/budgets/write-off: an expired slice that now counts as spent, or would. */
export interface WrittenOff {
  readonly lease: string;
  readonly agent: string;
  readonly instance: string;
  readonly unit: LedgerUnit;
  readonly amount: string;
  readonly expired_at: string;
}
