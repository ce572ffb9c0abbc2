// How the money's two refusals read: what stands in the way, in the ledger's own figures, and whether waiting helps.

import type { Obstacle } from '../../contract/budget.ts';
import { formatDollars } from '../../contract/money.ts';
import { Refusal } from '../../contract/refusals.ts';

export function ledgerUnreachable(): Refusal {
  return new Refusal(
    'ledger_unreachable',
    'The ledger did not answer in time and no slice of the budget is left here.',
    {
      retryAfterSeconds: 5,
    },
  );
}

/** `mayRetry`: only holds in flight stand in the way, and the wait for them was in vain. */
export function overBudget(obstacle: Obstacle, mayRetry: boolean): Refusal {
  const amount = (text: string): string =>
    obstacle.unit !== 'nanodollars' ? `${text} ${obstacle.unit}` : formatDollars(BigInt(text));
  const { level, name, window } = obstacle;
  return new Refusal(
    'over_budget',
    `The budget of ${level} ${name} is ${amount(obstacle.limit)} per ${window}: ${amount(obstacle.posted)} is spent, ` +
      `${amount(obstacle.held)} held, and this call could cost ${amount(obstacle.needed)} more.`,
    {
      reason: mayRetry ? 'held_by_calls_in_flight' : 'spent',
      mayRetry,
      facts: {
        level,
        name,
        window,
        unit: obstacle.unit,
        limit: obstacle.limit,
        spent: obstacle.posted,
        held: obstacle.held,
        needed: obstacle.needed,
        resets_at: obstacle.resetsAt,
      },
    },
  );
}
