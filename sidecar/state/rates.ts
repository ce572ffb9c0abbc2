// Requests per window and agent (`limits: { requests: 60/minute }`): a sliding log of start times, exact at any moment.

import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';

export interface Rates {
  /** Counts one request of `agent`. Throws Refusal `rate_limited` when the window is full; then it is not counted. */
  count(agent: string, limit: { readonly count: number; readonly windowMs: number }): void;
}

export function createRates(clock: Clock): Rates {
  const started = new Map<string, number[]>();
  return {
    count(agent, limit) {
      const now = clock.monotonicMs();
      const times = started.get(agent) ?? [];
      started.set(agent, times);
      let gone = 0;
      while (gone < times.length && times[gone]! <= now - limit.windowMs) gone += 1;
      if (gone > 0) times.splice(0, gone);
      if (times.length >= limit.count) {
        const waitMs = times[0]! + limit.windowMs - now;
        throw new Refusal(
          'rate_limited',
          `${agent} may start ${limit.count} requests in ${limit.windowMs / 1000} s.`,
          {
            reason: 'requests',
            retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
          },
        );
      }
      times.push(now);
    },
  };
}
