// What the loading loop sleeps on: rung when there is something to do, or by itself after a while.

import type { Clock } from '../../kit/clock.ts';

export interface Alarm {
  ring(): void;
  /** Resolves at the next ring, at once if it rang since the last time, or after `withinMs` if that is given. */
  rings(withinMs: number | null): Promise<void>;
}

export function createAlarm(clock: Clock): Alarm {
  let bell = Promise.withResolvers<void>();
  return {
    ring: () => bell.resolve(),
    async rings(withinMs) {
      const cancel = withinMs === null ? null : clock.after(withinMs, () => bell.resolve());
      await bell.promise;
      cancel?.();
      bell = Promise.withResolvers<void>();
    },
  };
}
