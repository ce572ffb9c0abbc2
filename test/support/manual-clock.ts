// A clock whose hands a test turns: timers run in order when time is moved past them.

import type { Clock } from '../../kit/clock.ts';

export interface ManualClock extends Clock {
  /** Moves both hands and runs what falls due. */
  advance(ms: number): void;
}

export function manualClock(startMs = Date.UTC(2026, 0, 5)): ManualClock {
  let now = 0;
  let timers: { at: number; call: () => void }[] = [];
  return {
    nowMs: () => startMs + now,
    monotonicMs: () => now,
    after(delayMs, call) {
      const timer = { at: now + delayMs, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers = timers.filter((each) => each !== due);
        now = Math.max(now, due.at);
        due.call();
      }
      now = until;
    },
  };
}
