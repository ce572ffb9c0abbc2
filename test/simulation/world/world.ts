// The world of one simulation: virtual time, in which nothing happens but events in their order, and the history of what
// happened. Between two events all promises settle; while a real database answers, time stands still.

import { type Random, randomFrom } from './random.ts';

export interface World {
  readonly random: Random;
  /** Milliseconds of true time since the world began; what each machine's clock shows is its own matter. */
  nowMs(): number;
  /** Calls once, after `delayMs`; events of the same moment in the order they were asked for. */
  after(delayMs: number, call: () => void): () => void;
  /** Keeps time still until it has settled. */
  freeze<T>(work: Promise<T>): Promise<T>;
  note(who: string, what: string): void;
  readonly history: readonly string[];
  /** Something that must never be: the run ends here. */
  fail(what: string): void;
  readonly findings: readonly string[];
  readonly steps: number;
  /** Runs what is due until then; `afterEach` is called when all has settled after an event. */
  runUntil(untilMs: number, afterEach: () => void): Promise<void>;
}

interface Event {
  readonly at: number;
  readonly order: number;
  call: (() => void) | null;
}

export function createWorld(seed: number): World {
  const events: Event[] = [];
  const history: string[] = [];
  const findings: string[] = [];
  let now = 0;
  let order = 0;
  let frozen = 0;
  let steps = 0;

  /** Promises of this turn first; then whatever the database still works on. */
  const settled = async (): Promise<void> => {
    do await new Promise((resolve) => setImmediate(resolve));
    while (frozen > 0);
  };

  const note = (who: string, what: string): void => {
    history.push(`${timeOf(now)}  ${who.padEnd(10)} ${what}`);
  };

  return {
    random: randomFrom(seed),
    nowMs: () => now,
    after(delayMs, call) {
      const event: Event = { at: now + Math.max(0, delayMs), order: order++, call };
      push(events, event);
      return () => {
        event.call = null;
      };
    },
    async freeze(work) {
      frozen += 1;
      try {
        return await work;
      } finally {
        frozen -= 1;
      }
    },
    note,
    history,
    fail(what) {
      note('CHECKER', what);
      findings.push(what);
    },
    findings,
    get steps() {
      return steps;
    },
    async runUntil(untilMs, afterEach) {
      for (let next = events[0]; next && next.at <= untilMs && findings.length === 0; next = events[0]) {
        pop(events);
        now = next.at;
        if (!next.call) continue;
        steps += 1;
        next.call();
        await settled();
        afterEach();
      }
      if (findings.length === 0) now = Math.max(now, untilMs);
    },
  };
}

function timeOf(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(h)}:${two(m)}:${two(s)}.${String(Math.floor(ms % 1000)).padStart(3, '0')}`;
}

// ---- a binary heap, the earliest event on top ----

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(event, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
