// Requests per window and agent (`limits: { requests: 60/minute }`): a sliding log of start times, exact at any moment.

import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';

export interface Rates {
  /** Counts one request of `agent`. Throws Refusal `rate_limited` when the window is full; then it is not counted. */
  count(agent: string, limit: { readonly count: number; readonly windowMs: number }): void;
}

interface StartTimes {
  times: number[];
  /** Times before this one have left the window; they are cut off now and then, not at every request. */
  first: number;
}

/** Cut off what has left the window once it is so much, and half of all. */
const GONE_MIN = 1_024;

export function createRates(clock: Clock): Rates {
  const started = new Map<string, StartTimes>();
  return {
    count(agent, limit) {
      const now = clock.monotonicMs();
      let log = started.get(agent);
      if (!log) {
        log = { times: [], first: 0 };
        started.set(agent, log);
      }
      while (log.first < log.times.length && log.times[log.first]! <= now - limit.windowMs) log.first += 1;
      if (log.times.length - log.first >= limit.count) {
        const waitMs = log.times[log.first]! + limit.windowMs - now;
        const sentence = `${agent} may start ${limit.count} requests in ${limit.windowMs / 1000} s.`;
        throw new Refusal('rate_limited', sentence, {
          reason: 'requests',
          retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
        });
      }
      if (log.first > GONE_MIN && log.first * 2 > log.times.length) {
        log.times = log.times.slice(log.first);
        log.first = 0;
      }
      log.times.push(now);
    },
  };
}
