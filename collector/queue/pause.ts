// A door that can be held shut for a while: whoever is inside may finish, whoever comes waits.

export interface Pause {
  /** At once, or when the door is open again. */
  pass<T>(act: () => Promise<T>): Promise<T>;
  /** Resolves, with what opens the door again (harmless when called twice), once nobody is inside. One holder at a time; the next one waits. */
  hold(): Promise<() => void>;
}

export function createPause(): Pause {
  const inside = new Set<Promise<unknown>>();
  let shut: Promise<void> | null = null;
  return {
    async pass(act) {
      while (shut) await shut;
      const acting = act();
      inside.add(acting);
      try {
        return await acting;
      } finally {
        inside.delete(acting);
      }
    },
    async hold() {
      while (shut) await shut;
      const opened = Promise.withResolvers<void>();
      shut = opened.promise;
      await Promise.allSettled(inside);
      return () => {
        if (shut === opened.promise) shut = null;
        opened.resolve();
      };
    },
  };
}
