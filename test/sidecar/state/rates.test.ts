import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../../contract/config/config.ts';
import { Refusal } from '../../../contract/refusals.ts';
import { createRates } from '../../../sidecar/state/rates.ts';
import { manualClock } from '../../support/manual-clock.ts';

const LIMIT: RateLimit = { unit: 'requests', count: 3, windowMs: 1_000 };

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
      if (!refused(() => rates.take('scout', [LIMIT], 0))) passed.push(at);
      clock.advance(100);
    }
    for (const from of passed)
      expect(passed.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(3);
    expect(passed).toHaveLength(30);
    for (let i = 0; i < 3; i++) rates.take('editor', [LIMIT], 0);
    const refusal = refused(() => rates.take('editor', [LIMIT], 0));
    expect(refusal?.code).toBe('rate_limited');
    expect(refusal?.detail.retryAfterSeconds).toBe(1);
  });

  it('DOS-20: counts each agent by itself, and what was refused not at all', () => {
    const clock = manualClock();
    const rates = createRates(clock);
    for (let i = 0; i < 3; i++) rates.take('a', [LIMIT], 0);
    for (let i = 0; i < 50; i++) expect(refused(() => rates.take('a', [LIMIT], 0))).not.toBeNull();
    expect(refused(() => rates.take('b', [LIMIT], 0))).toBeNull();
    clock.advance(1_000);
    expect(refused(() => rates.take('a', [LIMIT], 0))).toBeNull();
  });

  it('goes on exactly over many windows', () => {
    const clock = manualClock();
    const rates = createRates(clock);
    for (let window = 0; window < 20; window++) {
      for (let i = 0; i < 500; i++) rates.take('a', [{ ...LIMIT, count: 500 }], 0);
      expect(refused(() => rates.take('a', [{ ...LIMIT, count: 500 }], 0))).not.toBeNull();
      clock.advance(1_000);
    }
  });
});

describe('tokens per window', () => {
  const TOKENS: RateLimit = { unit: 'tokens', count: 1_000, windowMs: 60_000 };
  const setUp = () => {
    const clock = manualClock();
    return { clock, rates: createRates(clock) };
  };

  it('are taken by what a call could use, and left for others once it used less', () => {
    const { rates } = setUp();
    const first = rates.take('scout', [TOKENS], 900);
    expect(refused(() => rates.take('scout', [TOKENS], 200))?.detail.reason).toBe('tokens');
    first.correct(300);
    expect(refused(() => rates.take('scout', [TOKENS], 700))).toBeNull();
    expect(refused(() => rates.take('scout', [TOKENS], 1))).not.toBeNull();
  });

  it('that were more than thought count as well', () => {
    const { rates } = setUp();
    rates.take('scout', [TOKENS], 10).correct(1_500);
    expect(refused(() => rates.take('scout', [TOKENS], 1))?.detail.retryAfterSeconds).toBe(60);
  });

  it('say when enough has left the window', () => {
    const { rates, clock } = setUp();
    for (let i = 0; i < 10; i++) {
      rates.take('scout', [TOKENS], 100);
      clock.advance(1_000);
    }
    expect(refused(() => rates.take('scout', [TOKENS], 250))?.detail.retryAfterSeconds).toBe(52);
    clock.advance(52_000);
    expect(refused(() => rates.take('scout', [TOKENS], 250))).toBeNull();
  });

  it('corrected late change nothing of a window they have left', () => {
    const { rates, clock } = setUp();
    const late = rates.take('scout', [TOKENS], 1_000);
    clock.advance(60_000);
    late.correct(5_000);
    rates.take('scout', [TOKENS], 400);
    late.correct(0);
    expect(refused(() => rates.take('scout', [TOKENS], 601))).not.toBeNull();
    expect(refused(() => rates.take('scout', [TOKENS], 600))).toBeNull();
  });

  it('of a call that could use more than all go when nothing else counts', () => {
    const { rates } = setUp();
    const large = rates.take('scout', [TOKENS], 1_000_000);
    expect(refused(() => rates.take('scout', [TOKENS], 1))).not.toBeNull();
    large.giveBack();
    expect(refused(() => rates.take('scout', [TOKENS], 1_000))).toBeNull();
  });

  it('and requests are taken together or not at all', () => {
    const { rates } = setUp();
    const both = [LIMIT, TOKENS];
    rates.take('u', both, 1_000);
    for (let i = 0; i < 9; i++) expect(refused(() => rates.take('u', both, 1))?.detail.reason).toBe('tokens');
    expect(refused(() => rates.take('u', both, 0))).toBeNull();
    rates.take('u', both, 0).correct(500);
    expect(refused(() => rates.take('u', both, 0))?.detail.reason).toBe('requests');
  });

  it('hold in every window, however calls come and are corrected', () => {
    const { rates, clock } = setUp();
    const used: { at: number; tokens: number }[] = [];
    let seed = 7;
    const draw = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let i = 0; i < 3_000; i++) {
      const most = 1 + draw(400);
      const tokens = draw(most + 1);
      const refusal = refused(() => rates.take('scout', [TOKENS], most).correct(tokens));
      if (!refusal) used.push({ at: clock.monotonicMs(), tokens });
      clock.advance(draw(2_000));
    }
    for (const { at: from } of used) {
      const within = used.filter(({ at }) => at >= from && at < from + TOKENS.windowMs);
      expect(within.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(TOKENS.count);
    }
    expect(used.length).toBeGreaterThan(500);
  });
});
