// What a failed call may be followed by, with the ids, times and chances of the world around.

import { randomFraction, randomHex } from './accept/lineage.ts';
import { type Attempts, createAttempts } from './attempts/attempts.ts';
import type { Fallbacks } from './attempts/fallback.ts';
import type { RetryBudget } from './attempts/retry-budget.ts';
import { limitedOf } from './guarded.ts';
import type { Start } from './starting.ts';
import type { Throttles } from './state/throttles.ts';

export function openAttempts(
  { clock, log }: Pick<Start, 'clock' | 'log'>,
  budget: RetryBudget,
  fallbacks: Fallbacks,
  throttles: Throttles,
): Attempts {
  return createAttempts({
    ...fallbacks,
    budget,
    clock,
    log,
    random: randomFraction,
    heard(call, told) {
      throttles.heard(limitedOf(call), told);
      return throttles.stopping(limitedOf(call))?.waitMs ?? null;
    },
    identity: () => ({
      id: randomHex(16),
      spanId: randomHex(8),
      startedAtMs: clock.nowMs(),
      startedMonotonicMs: clock.monotonicMs(),
    }),
  });
}
