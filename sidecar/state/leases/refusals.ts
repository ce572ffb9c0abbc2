// How the money's two refusals read: what stands in the way, in the ledger's own figures, and whether waiting helps.

import type { LeaseAnswer, LeaseAsk, Obstacle } from '../../../contract/budget.ts';
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
 * The ledger's obstacle as who asked meets it. What its sidecar drew and no call uses counts as held there, but would pay for
 * part of the call; what its calls hold beyond their slice does not count there, and is held all the same.
 */
export function metBy(
  { posted, held }: LeaseAsk,
  { lease, granted }: LeaseAnswer,
  obstacle: Obstacle,
): Obstacle {
  const { unit } = obstacle;
  if (unit === 'tasks' || lease === null) return obstacle;
  const unused = BigInt(granted[unit] ?? 0) - BigInt(posted[unit]) - BigInt(held[unit]);
  return { ...obstacle, held: (BigInt(obstacle.held) - unused).toString() };
}

/** Needed is the whole hold, not what a slice lacks of it. */
export const forAll = (amounts: Amounts, obstacle: Obstacle): Obstacle =>
  obstacle.unit === 'tasks' ? obstacle : { ...obstacle, needed: amounts[obstacle.unit].toString() };

/** There would be room, were nothing held. */
export const fitsOnceReleased = ({ posted, needed, limit }: Obstacle): boolean =>
  BigInt(posted) + BigInt(needed) <= BigInt(limit);

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
