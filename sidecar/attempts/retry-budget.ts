// How much more than its calls a sidecar may ask of upstreams: one in ten. Retries that each client thinks harmless are
// what keeps an overloaded provider down, so they are counted against what was asked in the last ten minutes; one is
// always left, so that a quiet agent has its retry too.

import type { Clock } from '../../kit/clock.ts';
import type { CallRecord } from '../record.ts';

export interface RetryBudget {
  /** A call was sent for the first time. */
  called(): void;
  /** Whether one more attempt may be made; if so it is counted. */
  take(): boolean;
}

/** Retries ≤ max(1, calls ÷ this) within the window. */
export const CALLS_PER_RETRY = 10;
export const WINDOW_MS = 600_000;
const BUCKETS = 60;
const BUCKET_MS = WINDOW_MS / BUCKETS;

export function createRetryBudget(clock: Clock): RetryBudget {
  const calls = new Array<number>(BUCKETS).fill(0);
  const retries = new Array<number>(BUCKETS).fill(0);
  let bucket = 0;

  /** Empties what has left the window; returns the bucket that is filled now. */
  const slot = (): number => {
    const now = Math.floor(clock.monotonicMs() / BUCKET_MS);
    const passed = Math.min(now - bucket, BUCKETS);
    for (let i = 1; i <= passed; i++) {
      calls[(bucket + i) % BUCKETS] = 0;
      retries[(bucket + i) % BUCKETS] = 0;
    }
    if (passed > 0) bucket = now;
    return bucket % BUCKETS;
  };

  return {
    called() {
      calls[slot()]! += 1;
    },
    take() {
      const at = slot();
      if (sum(retries) + 1 > Math.max(1, Math.floor(sum(calls) / CALLS_PER_RETRY))) return false;
      retries[at]! += 1;
      return true;
    },
  };
}

/** A call that was tried for the first time, by us and by its client, and not refused: what retries are measured against. */
export const wasSent = ({ attempt, clientRetries, status }: CallRecord): boolean =>
  attempt === 1 && clientRetries === 0 && status !== 'refused' && status !== 'escalated';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
