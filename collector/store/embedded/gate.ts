// Lets so many in at once; the rest wait in line, and the line has an end.

export class GateFull extends Error {
  override name = 'GateFull';
}

export interface Gate {
  /** Runs `work` when there is room. Throws GateFull when too many wait already. */
  pass<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(insideMax: number, waitingMax: number): Gate {
  const waiting: (() => void)[] = [];
  let inside = 0;

  async function enter(): Promise<void> {
    if (inside < insideMax) {
      inside += 1;
      return;
    }
    if (waiting.length >= waitingMax)
      throw new GateFull(`Too many simultaneous queries: ${inside} run, ${waiting.length} wait`);
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  /** Room that someone waits for is handed on, so a newcomer can't slip in between. */
  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else inside -= 1;
  }

  return {
    async pass(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
