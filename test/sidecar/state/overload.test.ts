import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import type { Clock } from '../../../kit/clock.ts';
import {
  CALLS_MANY,
  CALLS_MAX,
  createOverload,
  LATE_MS,
  type Overload,
} from '../../../sidecar/state/overload.ts';

/** A process whose turns come `late` ms after they were due. */
function slowProcess() {
  let now = 0;
  let late = 0;
  let due: { at: number; call: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => now,
    monotonicMs: () => now,
    after(delayMs, call) {
      const timer = { at: now + delayMs, call };
      due.push(timer);
      return () => {
        due = due.filter((each) => each !== timer);
      };
    },
  };
  return {
    clock,
    waiting: () => due.length,
    /** Runs for so long; each turn comes so late. */
    run(ms: number, lateMs: number) {
      late = lateMs;
      for (const end = now + ms; now < end; ) {
        const next = due.shift();
        if (!next) return;
        now = Math.max(now, next.at + late);
        next.call();
      }
    },
  };
}

function refusalOf(overload: Overload, inFlight: number): Refusal | null {
  try {
    overload.admit(inFlight);
    return null;
  } catch (failure) {
    if (failure instanceof Refusal) return failure;
    throw failure;
  }
}

describe('CB-22: a sidecar with more calls than it can serve', () => {
  it('sends the newest away with 503 beyond its most', () => {
    const { clock } = slowProcess();
    const overload = createOverload(clock);
    expect(refusalOf(overload, CALLS_MAX)).toBeNull();
    const refusal = refusalOf(overload, CALLS_MAX + 1);
    expect(refusal?.code).toBe('rate_limited');
    expect(refusal?.detail).toMatchObject({
      status: 503,
      reason: 'sidecar_overloaded',
      retryAfterSeconds: 1,
    });
    expect(refusal?.mayRetry).toBe(true);
  });

  it('sends the newest away while its turns stand late, and takes them again at the first in time', () => {
    const { clock, run } = slowProcess();
    const overload = createOverload(clock);
    overload.admit(1);
    run(800, LATE_MS + 50);
    expect(refusalOf(overload, CALLS_MANY + 1)?.detail.reason).toBe('sidecar_overloaded');
    run(1, 10);
    expect(refusalOf(overload, CALLS_MANY + 1)).toBeNull();
  });

  it('does not mind a single late turn, nor late ones with few calls', () => {
    const { clock, run } = slowProcess();
    const overload = createOverload(clock);
    overload.admit(1);
    run(1, 5_000);
    expect(refusalOf(overload, CALLS_MANY + 1)).toBeNull();
    run(900, LATE_MS + 50);
    expect(refusalOf(overload, CALLS_MANY)).toBeNull();
  });

  it('looks at its turns only while calls come', () => {
    const { clock, run, waiting } = slowProcess();
    createOverload(clock).admit(1);
    run(2_000, 0);
    expect(waiting()).toBe(0);
  });
});
