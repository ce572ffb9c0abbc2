// One writer for each signal, since a segment holds one signal only. They share the directory and one row of numbers.

import { idEnding, SIGNALS, type Signal } from '../signals.ts';
import { createWriter, type Writer } from './writer.ts';

export interface Writers {
  of(signal: Signal): Writer;
  /** Closes every active segment, once the groups before are durable. */
  seal(): Promise<void>;
  /** What is in active segments: how many, their bytes, the age of the oldest. Null if nothing is. */
  active(): { readonly segments: number; readonly bytes: number; readonly sinceMs: number } | null;
}

type World = Omit<Parameters<typeof createWriter>[0], 'nextId'>;

/** `nextId` gives a number and what keeps it from being used twice; each signal adds its own ending. */
export function createWriters(world: World, nextId: () => string): Writers {
  const writer = (signal: Signal) =>
    createWriter({ ...world, nextId: () => `${nextId()}${idEnding(signal)}` });
  const writers = { traces: writer('traces'), logs: writer('logs'), metrics: writer('metrics') };
  return {
    of: (signal) => writers[signal],
    async seal() {
      await Promise.all(SIGNALS.map((signal) => writers[signal].seal()));
    },
    active() {
      const active = SIGNALS.map((signal) => writers[signal].active()).filter((each) => each !== null);
      if (active.length === 0) return null;
      return {
        segments: active.length,
        bytes: active.reduce((sum, { bytes }) => sum + bytes, 0),
        sinceMs: Math.min(...active.map(({ sinceMs }) => sinceMs)),
      };
    },
  };
}
