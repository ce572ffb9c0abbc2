// What a failed call may be followed by, with the ids, times and chances of the world around.

import type { Clock } from '../kit/clock.ts';
import { randomFraction, randomHex } from './accept/lineage.ts';
import { type Attempts, createAttempts } from './attempts/attempts.ts';
import type { Fallbacks } from './attempts/fallback.ts';
import type { RetryBudget } from './attempts/retry-budget.ts';

export function openAttempts(
  { clock }: { readonly clock: Clock },
  budget: RetryBudget,
  fallbacks: Fallbacks,
): Attempts {
  return createAttempts({
    ...fallbacks,
    budget,
    clock,
    random: randomFraction,
    identity: () => ({
      id: randomHex(16),
      spanId: randomHex(8),
      startedAtMs: clock.nowMs(),
      startedMonotonicMs: clock.monotonicMs(),
    }),
  });
}
