// Holds at the ledger itself: for a caller without a lease, which sets money aside for one call and settles it after.
// The id is the caller's own, kept before it is sent: whatever is sent again with it is answered the same.

import type { Obstacle } from './budget.ts';
import type { AmountsMessage } from './money.ts';

/** POST /v1/holds. */
export interface HoldAsk {
  readonly id: string;
  readonly agent: string;
  /** Without one, only agent and wider budgets bind. */
  readonly task?: string;
  readonly amounts: AmountsMessage;
  /** Unsettled for so long, all of it is posted: longer than the call can take. */
  readonly ttl_ms: number;
}

/** `expired`: never settled, posted in full. */
export type HoldState = 'held' | 'posted' | 'released' | 'expired';

export interface HoldLine {
  readonly id: string;
  readonly agent: string;
  readonly task: string | null;
  readonly state: HoldState;
  readonly held: AmountsMessage;
  readonly posted: AmountsMessage;
  readonly opened_at: string;
  readonly expires_at: string;
  readonly settled_at: string | null;
}

/** POST /v1/holds/{id}: one of these. The first settlement stands; corrections come after it. */
export type HoldSettlement =
  | { readonly post: AmountsMessage }
  | { readonly release: true }
  /** What was truly spent in all, as a provider's export says. */
  | { readonly correct: AmountsMessage; readonly reason: string };

/** The answer to a hold that can't be taken: 402 `over_budget`. */
export interface HoldRefused {
  readonly obstacle: Obstacle;
  /** Only what others hold stands in the way; it was called back. */
  readonly may_retry: boolean;
}

export const HOLD_TTL_MS_MAX = 24 * 3_600_000;
export const HOLD_ID_CHARACTERS_MAX = 128;
