// Trying again until it works: the store may be away for days, and nothing that was acknowledged may be given up.

import type { Clock } from '../../kit/clock.ts';

const DELAY_MS_FIRST = 100;
const DELAY_MS_MAX = 5_000;

/** Thrown out of a wait when the queue closes; what was waiting stays on disk for the next life. */
export class Closing extends Error {
  override name = 'Closing';
}

export interface Patience {
  /** Tries until `attempt` resolves, or throws what `isFinal` recognises; Closing after `close`. */
  insist<T>(
    attempt: () => Promise<T>,
    onFailure: (failure: unknown, nextInMs: number) => void,
    isFinal?: (failure: unknown) => boolean,
  ): Promise<T>;
  close(): void;
}

export function createPatience(clock: Clock): Patience {
  const closing = Promise.withResolvers<void>();
  let isClosed = false;
  const pause = (delayMs: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(delayMs, resolve);
    return Promise.race([promise, closing.promise]).finally(cancel);
  };
  return {
    async insist(attempt, onFailure, isFinal = () => false) {
      for (let delayMs = DELAY_MS_FIRST; ; delayMs = Math.min(delayMs * 2, DELAY_MS_MAX)) {
        if (isClosed) throw new Closing('the queue is closing');
        try {
          return await attempt();
        } catch (failure) {
          if (isFinal(failure)) throw failure;
          onFailure(failure, delayMs);
        }
        await pause(delayMs);
      }
    },
    close() {
      isClosed = true;
      closing.resolve();
    },
  };
}
