// A number of units shared by whoever asks, first come, first served. One who asks for more than there ever are gets all;
// one who finds too few waits, and after a while is refused: a sender that hears so comes back, one that waits gives up.

import type { Clock } from '../../kit/clock.ts';

export interface Hold {
  /** Makes the hold as large as told. More may have to wait, and throws what the budget refuses with; less is at once. */
  resize(units: number): Promise<void>;
  /** Gives all back; again does nothing. */
  release(): void;
}

export interface Budget {
  acquire(units: number): Promise<Hold>;
  /** Runs `work` while holding `units`. */
  during<T>(units: number, work: (hold: Hold) => Promise<T>): Promise<T>;
}

export interface BudgetRules {
  readonly unitsMax: number;
  readonly waitMs: number;
  readonly clock: Clock;
  /** What one hears who has waited too long. */
  refusal(): Error;
}

interface Waiting {
  readonly units: number;
  readonly go: () => void;
}

export function createBudget({ unitsMax, waitMs, clock, refusal }: BudgetRules): Budget {
  let free = unitsMax;
  let waiting: readonly Waiting[] = [];
  const admit = (): void => {
    for (let next = waiting[0]; next && next.units <= free; next = waiting[0]) {
      free -= next.units;
      waiting = waiting.slice(1);
      next.go();
    }
  };
  const leave = (one: Waiting): void => {
    waiting = waiting.filter((each) => each !== one);
    admit(); // whoever stood behind may want less
  };
  const take = async (units: number): Promise<void> => {
    if (waiting.length === 0 && units <= free) {
      free -= units;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const one: Waiting = { units, go: resolve };
    waiting = [...waiting, one];
    const cancel = clock.after(waitMs, () => {
      leave(one);
      reject(refusal());
    });
    await promise.finally(cancel);
  };
  const give = (units: number): void => {
    free += units;
    admit();
  };

  const acquire = async (wanted: number): Promise<Hold> => {
    let held = Math.min(wanted, unitsMax);
    let released = false;
    await take(held);
    return {
      async resize(units) {
        const more = Math.min(units, unitsMax) - held;
        if (more > 0) await take(more);
        else give(-more);
        if (released) give(more);
        else held += more;
      },
      release() {
        released = true;
        give(held);
        held = 0;
      },
    };
  };
  return {
    acquire,
    async during(units, work) {
      const hold = await acquire(units);
      try {
        return await work(hold);
      } finally {
        hold.release();
      }
    },
  };
}
