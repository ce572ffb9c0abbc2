// Lends things that serve one user at a time. They are made when first needed; who finds none waits in line, and the line
// has an end.

export class PoolFull extends Error {
  override name = 'PoolFull';
}

export interface Pool<T> {
  /** Runs `use` with one thing of the pool, alone with it. Throws PoolFull when too many wait already. */
  lend<R>(use: (thing: T) => Promise<R>): Promise<R>;
}

export function createPool<T>(sizeMax: number, waitingMax: number, make: () => T, first?: T): Pool<T> {
  const idle: T[] = first === undefined ? [] : [first];
  const waiting: ((thing: T) => void)[] = [];
  let made = idle.length;

  function take(): Promise<T> {
    const thing = idle.pop();
    if (thing !== undefined) return Promise.resolve(thing);
    if (made < sizeMax) {
      const fresh = make();
      made += 1;
      return Promise.resolve(fresh);
    }
    if (waiting.length >= waitingMax)
      throw new PoolFull(`Too many simultaneous queries: ${sizeMax} run, ${waiting.length} wait`);
    return new Promise((resolve) => waiting.push(resolve));
  }

  function give(thing: T): void {
    const next = waiting.shift();
    if (next) next(thing);
    else idle.push(thing);
  }

  return {
    async lend(use) {
      const thing = await take();
      try {
        return await use(thing);
      } finally {
        give(thing);
      }
    },
  };
}
