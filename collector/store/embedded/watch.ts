// Sees to it that every read ends. The engine looks at its time limit between blocks only, and one block may take minutes;
// a client may hang up, or never read on. So each read carries a mark by which it can be cancelled from outside, and a
// time at which its answer is cut; what runs on after that is stuck in the engine, where nothing reaches it.
//
//   begin ── limit (the engine's own) ── + grace: cut and cancelled ── + grace: the process ends, and is started again
//
// That the process ends harms none but the readers: loads come again, exactly once.

import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { quoted } from '../sql-text.ts';
import { type Engine, run } from './engine.ts';
import type { EngineLimits } from './messages.ts';

/** Ends the process; the sentence is its last. */
export type Die = (sentence: string) => void;

export interface Watch {
  /** Runs `read`, which puts `mark` before its statement. Rejects as `read` does. */
  over(response: ServerResponse, read: (mark: string) => Promise<void>): Promise<void>;
}

const CANCEL_AGAIN_MS = 250;

export function createWatch(engine: Engine, limits: EngineLimits, die: Die): Watch {
  const graceMs = limits.graceSeconds * 1000;
  const cutMs = limits.querySecondsMax * 1000 + graceMs;

  async function cancel(mark: string): Promise<void> {
    const kill = `KILL QUERY WHERE startsWith(query, ${quoted(mark)}) ASYNC`;
    try {
      await engine.session('work', (session) => run(session, kill, 'Null'));
    } catch {
      // Not cancelled, it ends at its own limit, or the process does.
    }
  }

  return {
    async over(response, read) {
      const mark = `/* ${randomUUID()} */ `;
      let cancelling: NodeJS.Timeout | undefined;
      // Again and again: the engine may not have the statement yet, which is judged first.
      const hungUp = () => {
        if (response.writableFinished) return;
        void cancel(mark);
        cancelling = setInterval(() => void cancel(mark), CANCEL_AGAIN_MS);
      };
      response.once('close', hungUp);
      const cut = setTimeout(() => response.destroy(), cutMs);
      const end = setTimeout(
        () => die('A query ran past its time and would not be cancelled'),
        cutMs + graceMs,
      );
      try {
        await read(mark);
      } finally {
        clearTimeout(cut);
        clearTimeout(end);
        clearInterval(cancelling);
        response.off('close', hungUp);
      }
    },
  };
}
