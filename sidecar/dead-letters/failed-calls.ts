// Which calls failed here and wait for a better end: when the same call comes through, its letter is settled. Bounded; a
// call forgotten here only keeps its letter until somebody looks.

const CALLS_MAX = 10_000;

export interface FailedCalls {
  readonly size: number;
  add(place: string, callDigest: string): void;
  /** Whether any call of this place failed: cheap, and asked before a digest is made. */
  anyOf(place: string): boolean;
  /** True where it was there; it is not from now on. */
  take(place: string, callDigest: string): boolean;
}

/** `place` is the agent and its task. */
export function createFailedCalls(callsMax = CALLS_MAX): FailedCalls {
  const byPlace = new Map<string, Set<string>>();
  let size = 0;

  const remove = (place: string, digests: Set<string>, callDigest: string): boolean => {
    if (!digests.delete(callDigest)) return false;
    size -= 1;
    if (digests.size === 0) byPlace.delete(place);
    return true;
  };

  const forgetOldest = (): void => {
    for (const [place, digests] of byPlace) {
      for (const oldest of digests) return void remove(place, digests, oldest);
    }
  };

  return {
    get size() {
      return size;
    },
    add(place, callDigest) {
      const digests = byPlace.get(place) ?? new Set();
      if (digests.has(callDigest)) return;
      if (size >= callsMax) forgetOldest();
      byPlace.set(place, digests.add(callDigest));
      size += 1;
    },
    anyOf: (place) => byPlace.has(place),
    take(place, callDigest) {
      const digests = byPlace.get(place);
      return digests !== undefined && remove(place, digests, callDigest);
    },
  };
}
