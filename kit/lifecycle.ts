// Stopping, in order: what was started last is stopped first, so nothing loses what it stands on while still running.

import { type Log, sentenceOf } from './log.ts';

export interface Lifecycle {
  /** Remembers how to stop what was just started. */
  onStop(name: string, stop: () => void | Promise<void>): void;
  /**
   * Stops everything in reverse order, once; later calls get the same promise. A failure, or a step still running
   * when the deadline has passed, is logged and the next step goes on. Never rejects.
   */
  stop(deadlineMs: number): Promise<void>;
}

interface Step {
  readonly name: string;
  readonly stop: () => void | Promise<void>;
}

export function createLifecycle(log: Log): Lifecycle {
  const steps: Step[] = [];
  let stopping: Promise<void> | undefined;

  async function stopOne({ name, stop }: Step, deadline: Promise<'late'>): Promise<void> {
    try {
      const ended = await Promise.race([Promise.resolve(stop()), deadline]);
      if (ended === 'late') log.error('stop_late', { name });
    } catch (failure) {
      log.error('stop_failed', { name, reason: sentenceOf(failure) });
    }
  }

  async function stopAll(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, deadlineMs, 'late');
    });
    for (let step = steps.pop(); step; step = steps.pop()) await stopOne(step, deadline);
    clearTimeout(timer);
  }

  return {
    onStop: (name, stop) => void steps.push({ name, stop: async () => stop() }),
    stop(deadlineMs) {
      stopping ??= stopAll(deadlineMs);
      return stopping;
    },
  };
}
