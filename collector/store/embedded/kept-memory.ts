// Sees to it that the engine's memory comes back. Some of what a read makes it hold is never let go: the calendar of each
// time zone that was ever named, 4.7 MB apiece, has no cache's bound. Where such things have taken what loads need, every
// load is refused, and would be for ever: then the process ends, and is started again.

import { type Engine, run, StatementFailure } from './engine.ts';
import type { EngineLimits } from './messages.ts';
import type { Die } from './watch.ts';

/** Of all that the engine may hold. One load at its most fits into the rest. */
const SHARE_MAX = 0.6;
/** Looked at once in a grace: what so many looks in a row find is not coming back. */
const LOOKS = 6;
const MEMORY_LIMIT_EXCEEDED = 241;

export interface KeptMemory {
  /** Told of every failure. One for want of the engine's memory, not of a statement's own, is what this waits for. */
  failed(failure: unknown): void;
}

export function watchKeptMemory(engine: Engine, limits: EngineLimits, die: Die): KeptMemory {
  let wanted = false;
  let looksInARow = 0;

  async function look(): Promise<void> {
    const isHeld = (await heldBytes(engine)) > limits.engineMemoryBytes * SHARE_MAX;
    looksInARow = isHeld ? looksInARow + 1 : 0;
    if (!isHeld) wanted = false;
    if (looksInARow >= LOOKS) die('The engine kept memory that work needs');
  }

  const looking = setInterval(() => {
    // What it can't say now it is asked again.
    if (wanted) look().catch(() => undefined);
  }, limits.graceSeconds * 1000);
  looking.unref();

  return {
    failed(failure) {
      if (!(failure instanceof StatementFailure) || failure.code !== MEMORY_LIMIT_EXCEEDED) return;
      if (failure.message.includes('(total)')) wanted = true;
    },
  };
}

async function heldBytes(engine: Engine): Promise<number> {
  const statement = "SELECT value FROM system.metrics WHERE metric = 'MemoryTracking'";
  const { bytes } = await engine.session('work', (session) => run(session, statement, 'TSVRaw'));
  return Number(Buffer.from(bytes).toString('utf8'));
}
