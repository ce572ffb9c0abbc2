import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import { createRates } from '../../../sidecar/state/rates.ts';
import { manualClock } from '../../support/manual-clock.ts';

const LIMIT = { count: 3, windowMs: 1_000 };

function refused(run: () => void): Refusal | null {
  try {
    run();
    return null;
  } catch (failure) {
    if (failure instanceof Refusal) return failure;
    throw failure;
  }
}

describe('requests per window', () => {
  it('lets the limit through in any window, never one more, and says when to come back', () => {
    const clock = manualClock();
    const rates = createRates(clock);
    const passed: number[] = [];
    for (let at = 0; at < 10_000; at += 100) {
      if (!refused(() => rates.count('scout', LIMIT))) passed.push(at);
      clock.advance(100);
    }
    for (const from of passed)
      expect(passed.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(3);
    expect(passed).toHaveLength(30);
    for (let i = 0; i < 3; i++) rates.count('editor', LIMIT);
    const refusal = refused(() => rates.count('editor', LIMIT));
    expect(refusal?.code).toBe('rate_limited');
    expect(refusal?.detail.retryAfterSeconds).toBe(1);
  });

  it('DOS-20: counts each agent by itself, and what was refused not at all', () => {
    const clock = manualClock();
    const rates = createRates(clock);
    for (let i = 0; i < 3; i++) rates.count('a', LIMIT);
    for (let i = 0; i < 50; i++) expect(refused(() => rates.count('a', LIMIT))).not.toBeNull();
    expect(refused(() => rates.count('b', LIMIT))).toBeNull();
    clock.advance(1_000);
    expect(refused(() => rates.count('a', LIMIT))).toBeNull();
  });

  it('goes on exactly over many windows', () => {
    const clock = manualClock();
    const rates = createRates(clock);
    for (let window = 0; window < 20; window++) {
      for (let i = 0; i < 500; i++) rates.count('a', { count: 500, windowMs: 1_000 });
      expect(refused(() => rates.count('a', { count: 500, windowMs: 1_000 }))).not.toBeNull();
      clock.advance(1_000);
    }
  });
});
