// More calls than this process can serve: the newest are sent away at once, so that those under way end. Too many is a
// count, or turns of the event loop that come late again and again while many calls are under way; one late turn is
// nothing (a collection of garbage, a large body), nor is a machine that is slow with a few.

import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';

export interface Overload {
  /** Throws Refusal `rate_limited` (503) where one more call is too many; `inFlight` counts it. Cheap. */
  admit(inFlight: number): void;
}

export const CALLS_MAX = 1_500;
/** With fewer calls under way a late turn is not their doing. */
export const CALLS_MANY = 100;
export const LATE_MS = 100;
/** So many late turns in a row are no accident. */
export const LATE_TURNS = 4;
const TICK_MS = 50;
/** Nobody looks at the turns of a sidecar that has nothing to do. */
const WATCHED_MS = 1_000;

export function createOverload(clock: Clock): Overload {
  let watching = false;
  let askedAt = 0;
  let lateTurns = 0;

  const tick = (): void => {
    const due = clock.monotonicMs() + TICK_MS;
    clock.after(TICK_MS, () => {
      const now = clock.monotonicMs();
      lateTurns = now - due > LATE_MS ? lateTurns + 1 : 0;
      watching = now - askedAt < WATCHED_MS;
      if (watching) tick();
    });
  };

  return {
    admit(inFlight) {
      askedAt = clock.monotonicMs();
      if (!watching) {
        watching = true;
        lateTurns = 0;
        tick();
      }
      if (inFlight <= CALLS_MANY || (lateTurns < LATE_TURNS && inFlight <= CALLS_MAX)) return;
      throw new Refusal(
        'rate_limited',
        `The sidecar has ${inFlight} calls under way and is too busy for another.`,
        {
          reason: 'sidecar_overloaded',
          status: 503,
          retryAfterSeconds: 1,
        },
      );
    },
  };
}
