// The clock a lease is measured by. A machine that was suspended finds its monotonic clock behind, one whose wall clock was
// set back finds that behind; the ledger's went on. So time passes here by whichever of the two moved more, and a lease is
// at most too short.

import type { Clock } from '../../../kit/clock.ts';

/** `nowMs` begins at the wall clock's and never goes back; everything else is the clock's own. */
export function leaseClock(clock: Clock): Clock {
  let wallMs = clock.nowMs();
  let monotonicMs = clock.monotonicMs();
  let nowMs = wallMs;
  return {
    ...clock,
    nowMs() {
      const wall = clock.nowMs();
      const monotonic = clock.monotonicMs();
      nowMs += Math.max(wall - wallMs, monotonic - monotonicMs, 0);
      wallMs = wall;
      monotonicMs = monotonic;
      return nowMs;
    },
  };
}
