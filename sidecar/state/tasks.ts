// Which task a call belongs to: named by header, by baggage, by the client's own session header, else one per quarter
// of an hour without a call. A task is keyed (agent, task); the ledger opens it at its first call that costs.

import type { Clock } from '../../kit/clock.ts';

export const TASK_IDLE_MS = 15 * 60_000;
const AGENTS_MAX = 10_000;

/** Headers by which clients name a session of their own; read, never required. Source: code.claude.com gateway protocol. */
export const SESSION_HEADERS = ['x-claude-code-session-id', 'x-session-id'] as const;

const TASK_ID = /^[\x21-\x7e]{1,128}$/;

export interface Tasks {
  /** `named` are candidates in order of precedence; the first well-formed one wins. */
  taskOf(agent: string, named: readonly (string | undefined)[]): string;
}

export function createTasks(clock: Clock, fresh: () => string): Tasks {
  const idle = new Map<string, { task: string; lastMs: number }>();
  return {
    taskOf(agent, named) {
      for (const name of named) if (name !== undefined && TASK_ID.test(name)) return name;
      const now = clock.monotonicMs();
      const current = idle.get(agent);
      if (current && now - current.lastMs < TASK_IDLE_MS) {
        current.lastMs = now;
        return current.task;
      }
      if (idle.size >= AGENTS_MAX) idle.delete(idle.keys().next().value as string);
      const task = fresh();
      idle.set(agent, { task, lastMs: now });
      return task;
    },
  };
}
