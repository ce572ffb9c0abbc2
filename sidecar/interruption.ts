// Ends calls under way whose agent may no longer go on. One that has no answer yet is refused as if it came now; a
// stream is ended where its dialect lets it end; what has no such place is cut off.

import type { Refusal } from '../contract/refusals.ts';
import type { Clock } from '../kit/clock.ts';
import type { Known } from './call.ts';
import { type Refusing, refuse } from './refuse.ts';
import type { Trail } from './trail.ts';

export interface Interruption {
  /** Ends every call under way for which there is a refusal. */
  sweep(refusalFor: (call: Known) => Refusal | undefined): void;
}

/** So long a stream gets to come to the end of an event; together with the way from the collector within two seconds. */
const EVENT_END_MS = 1_000;

export function createInterruption(
  underWay: ReadonlySet<Trail>,
  refusing: Refusing,
  clock: Clock,
): Interruption {
  const sweepOnce = (refusalFor: (call: Known) => Refusal | undefined): boolean => {
    let found = false;
    for (const trail of [...underWay]) {
      const refusal = refusalFor(trail.call);
      if (!refusal) continue;
      found = true;
      if (!trail.interrupt(refusal)) refuse(refusal, trail.call, trail, refusing);
    }
    return found;
  };
  return {
    sweep(refusalFor) {
      if (sweepOnce(refusalFor)) clock.after(EVENT_END_MS, () => void sweepOnce(refusalFor));
    },
  };
}
