// How fast a body has to come. One that was announced is given room at once, so it must come as evenly as its time allows:
// a sender who announces much and dribbles is let go within two seconds, and so cannot hold the memory of all.

import type { Clock } from '../../kit/clock.ts';

/** How long a sender may rest before it is held to the pace; looked at as often. */
const REST_MS = 1_000;

/** How fast a body has to come. */
export interface Pace {
  /** From now on so many bytes are to come, evenly over the time that a body has. */
  expect(bytes: number): void;
  arrived(bytes: number): void;
  /** Rejects when less has come than should, or not all within the time. */
  during<T>(work: Promise<T>): Promise<T>;
}

/** `ms`: the time that a body has; `late`: what one hears who does not keep it. */
export function createPace(clock: Clock, ms: number, late: () => Error): Pace {
  const untilMs = clock.monotonicMs() + ms;
  let due: { readonly bytes: number; readonly sinceMs: number } | null = null;
  let came = 0;
  const isLate = (nowMs: number): boolean => {
    if (nowMs >= untilMs) return true;
    return due !== null && came < (due.bytes * (nowMs - due.sinceMs - REST_MS)) / ms;
  };
  return {
    expect(bytes) {
      due = { bytes, sinceMs: clock.monotonicMs() };
      came = 0;
    },
    arrived(bytes) {
      came += bytes;
    },
    async during(work) {
      const { promise, reject } = Promise.withResolvers<never>();
      let cancel = (): void => undefined;
      const look = (): void => {
        const nowMs = clock.monotonicMs();
        if (isLate(nowMs)) return reject(late());
        cancel = clock.after(Math.min(REST_MS, untilMs - nowMs), look);
      };
      look();
      try {
        return await Promise.race([work, promise]);
      } finally {
        cancel();
      }
    },
  };
}
