// Until when each lease may be held from, by what its sidecar was told and the clock a lease is measured by: kept beside the
// production code, for one process's life.

import type { LeaseRequest, LeaseResponse } from '../../contract/budget.ts';
import type { Clock } from '../../kit/clock.ts';
import { leaseClock } from '../../sidecar/state/leases/lease-clock.ts';

export interface Expiry {
  /** The same ask; what it is told is remembered. */
  watched(
    ask: (request: LeaseRequest) => Promise<LeaseResponse>,
  ): (request: LeaseRequest) => Promise<LeaseResponse>;
  /** Those of these leases that are over. */
  over(leases: readonly string[]): readonly string[];
}

export function watchExpiry(given: Clock): Expiry {
  const clock = leaseClock(given);
  const until = new Map<string, number>();
  return {
    watched: (ask) => async (request) => {
      const sentAtMs = clock.nowMs();
      const response = await ask(request);
      for (const { lease, ttlMs } of response.answers) if (lease !== null) until.set(lease, sentAtMs + ttlMs);
      return response;
    },
    over: (leases) => {
      const nowMs = clock.nowMs();
      return leases.filter((lease) => nowMs >= (until.get(lease) ?? Number.POSITIVE_INFINITY));
    },
  };
}
