// A counter out of sums that are asked again and again: only what grew since the last asking counts, so that the counter
// never goes back, whatever retention takes away from the sums behind it.

export type Sums = ReadonlyMap<string, number>;

export interface Growth {
  /** What each sum grew by since the last one taken or marked. What is new has grown from nothing. */
  take(sums: Sums): Map<string, number>;
  /** Begins to count from these sums. */
  mark(sums: Sums): void;
}

export function createGrowth(): Growth {
  let last: Sums = new Map();
  return {
    take(sums) {
      const grown = new Map<string, number>();
      for (const [key, sum] of sums) {
        const by = sum - (last.get(key) ?? 0);
        if (by > 0) grown.set(key, by);
      }
      last = sums;
      return grown;
    },
    mark(sums) {
      last = sums;
    },
  };
}
