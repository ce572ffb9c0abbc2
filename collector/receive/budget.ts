// A number of units shared by whoever asks, first come, first served. One who asks for more than there ever are gets all.

export interface Budget {
  /** Runs `work` while holding `units`. */
  during<T>(units: number, work: () => Promise<T>): Promise<T>;
}

export function createBudget(unitsMax: number): Budget {
  let free = unitsMax;
  let waiting: { readonly units: number; readonly go: () => void }[] = [];
  const admit = (): void => {
    for (let next = waiting[0]; next && next.units <= free; next = waiting[0]) {
      free -= next.units;
      waiting = waiting.slice(1);
      next.go();
    }
  };
  return {
    async during(wanted, work) {
      const units = Math.min(wanted, unitsMax);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ units, go: resolve });
      admit();
      await promise;
      try {
        return await work();
      } finally {
        free += units;
        admit();
      }
    },
  };
}
