// How the money's two refusals read: what stands in the way, in the ledger's own figures, and whether waiting helps.

import type { Obstacle } from '../../../contract/budget.ts';
import { type Amounts, formatDollars } from '../../../contract/money.ts';
import { Refusal } from '../../../contract/refusals.ts';

export function ledgerUnreachable(): Refusal {
  return new Refusal(
    'ledger_unreachable',
    'The ledger did not answer in time and no slice of the budget is left here.',
    {
      retryAfterSeconds: 5,
    },
  );
}

/**
 * The ledger's obstacle as a call meets it. What this sidecar drew and no call uses (`unspent`) counts as held there, but
 * it would pay for part of the call; and what is needed is the whole hold, not what it lacks.
 */
export function metBy(amounts: Amounts, unspent: Amounts, obstacle: Obstacle): Obstacle {
  const { unit } = obstacle;
  if (unit === 'tasks') return obstacle;
  const held = BigInt(obstacle.held);
  const ours = unspent[unit] < 0n ? 0n : unspent[unit] < held ? unspent[unit] : held;
  return { ...obstacle, held: (held - ours).toString(), needed: amounts[unit].toString() };
}

/** `mayRetry`: only holds in flight stand in the way, and the wait for them was in vain. */
export function overBudget(obstacle: Obstacle, mayRetry: boolean): Refusal {
  const amount = (text: string): string =>
    obstacle.unit !== 'nanodollars' ? `${text} ${obstacle.unit}` : formatDollars(BigInt(text));
  const { level, name, window } = obstacle;
  const why =
    obstacle.reason === 'grace'
      ? 'what is left is kept for tasks that have begun.'
      : `${amount(obstacle.held)} held, and this call could cost ${amount(obstacle.needed)} more.`;
  return new Refusal(
    'over_budget',
    `The budget of ${level} ${name} is ${amount(obstacle.limit)} per ${window}: ${amount(obstacle.posted)} is spent, ${why}`,
    {
      reason: mayRetry ? 'held_by_calls_in_flight' : (obstacle.reason ?? 'spent'),
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
