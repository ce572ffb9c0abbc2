// Time as a parameter: code that is not an edge takes a Clock, so a simulation can turn the hands itself.

export interface Clock {
  /** Wall clock, milliseconds since 1970: for calendar windows and records. */
  nowMs(): number;
  /** Never goes back, milliseconds since some start: for durations and expiries. */
  monotonicMs(): number;
  /** Calls once after `delayMs`; the returned function cancels. Never keeps the process alive. */
  after(delayMs: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
