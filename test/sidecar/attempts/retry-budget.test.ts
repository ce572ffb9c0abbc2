// One in ten, within ten minutes, and one is always left: whatever the order of calls and retries.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CALLS_PER_RETRY, createRetryBudget, WINDOW_MS } from '../../../sidecar/attempts/retry-budget.ts';
import { manualClock } from '../../support/manual-clock.ts';

it('BUD-29, CB-14: of any calls and failures no more are tried again than one in ten, or one', () => {
  const steps = fc.array(fc.constantFrom('call', 'retry', 'call', 'call'), { maxLength: 400 });
  fc.assert(
    fc.property(steps, (sequence) => {
      const budget = createRetryBudget(manualClock());
      let [calls, retries] = [0, 0];
      for (const step of sequence) {
        if (step === 'call') {
          budget.called();
          calls += 1;
        } else {
          const may = retries + 1 <= Math.max(1, Math.floor(calls / CALLS_PER_RETRY));
          expect(budget.take()).toBe(may);
          if (may) retries += 1;
        }
      }
      expect(retries).toBeLessThanOrEqual(Math.max(1, calls / CALLS_PER_RETRY));
    }),
  );
});

it('forgets what is older than its window, the calls as well as the retries', () => {
  const clock = manualClock();
  const budget = createRetryBudget(clock);
  for (let i = 0; i < 30; i++) budget.called();
  expect([budget.take(), budget.take(), budget.take(), budget.take()]).toEqual([true, true, true, false]);
  clock.advance(WINDOW_MS - 1);
  expect(budget.take()).toBe(false);
  clock.advance(1);
  expect([budget.take(), budget.take()]).toEqual([true, false]);
});

it('does not let an idle night save up retries', () => {
  const clock = manualClock();
  const budget = createRetryBudget(clock);
  for (let i = 0; i < 1_000; i++) budget.called();
  clock.advance(8 * 3_600_000);
  for (let i = 0; i < 20; i++) budget.called();
  expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false]);
});
