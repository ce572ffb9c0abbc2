// Which tasks wait for money: calls that stand in line for a hold now, and tasks that were refused for good, until they
// get a hold again, end, or the budget's window resets. Told to the collector with each heartbeat.

import type { Obstacle, WaitingTask } from '../../../contract/budget.ts';
import type { Desk } from './desk.ts';
import type { Till } from './till.ts';

/** A task that heard the ledger's last word. */
export interface Stopped {
  readonly agent: string;
  readonly task: string;
  readonly obstacle: Obstacle;
  readonly sinceMs: number;
  /** Null: the task's own budget, which no window resets. */
  readonly untilMs: number | null;
  calls: number;
}

export const STOPPED_MAX = 1_000;
/** More in one heartbeat would tell nobody more. */
export const WAITING_TOLD_MAX = 100;
const FORGET_AFTER_MS = 24 * 3_600_000;

const keyOf = (agent: string, task: string): string => `${agent}/${task}`;

export function noteStopped({ stopped, ports }: Desk, agent: string, task: string, obstacle: Obstacle): void {
  const key = keyOf(agent, task);
  const known = stopped.get(key);
  const untilMs = obstacle.resetsAt === null ? null : Date.parse(obstacle.resetsAt);
  stopped.delete(key);
  if (stopped.size >= STOPPED_MAX) stopped.delete(stopped.keys().next().value!);
  const sinceMs = known?.sinceMs ?? ports.clock.nowMs();
  stopped.set(key, { agent, task, obstacle, sinceMs, untilMs, calls: (known?.calls ?? 0) + 1 });
}

/** It got a hold, or is over. */
export function goesOn({ stopped }: Desk, agent: string, task: string): void {
  if (stopped.size > 0) stopped.delete(keyOf(agent, task));
}

/** Of one agent, at most WAITING_TOLD_MAX; those who stand in line first. */
export function waitingTasks(desk: Desk, agent: string): readonly WaitingTask[] {
  const nowMs = desk.ports.clock.nowMs();
  const till = desk.tills.get(agent);
  const refused: WaitingTask[] = [];
  for (const [key, each] of desk.stopped) {
    if (isOver(each, nowMs)) desk.stopped.delete(key);
    else if (each.agent === agent) refused.push(refusedTask(each));
  }
  return [...(till ? inLine(till, nowMs) : []), ...refused].slice(0, WAITING_TOLD_MAX);
}

const isOver = ({ sinceMs, untilMs }: Stopped, nowMs: number): boolean =>
  nowMs >= Math.min(untilMs ?? Number.POSITIVE_INFINITY, sinceMs + FORGET_AFTER_MS);

function refusedTask({ task, obstacle, sinceMs, calls }: Stopped): WaitingTask {
  const { reason, resetsAt } = obstacle;
  const why = reason ?? 'spent';
  return { task, why, calls, since: new Date(sinceMs).toISOString(), until: resetsAt, ...budgetOf(obstacle) };
}

function inLine(till: Till, nowMs: number): WaitingTask[] {
  const tasks = new Map<string, WaitingTask>();
  for (const { task, obstacle } of till.waiters) {
    const calls = (tasks.get(task)?.calls ?? 0) + 1;
    const since = new Date(nowMs).toISOString();
    tasks.set(task, { task, why: 'held', calls, since, until: null, ...budgetOf(obstacle) });
  }
  return [...tasks.values()];
}

/** Nothing is known of the budget before the ledger has said what stands in the way. */
const budgetOf = (obstacle: Obstacle | undefined): Pick<WaitingTask, 'level' | 'name' | 'window'> => ({
  level: obstacle?.level ?? null,
  name: obstacle?.name ?? '',
  window: obstacle?.window ?? '',
});
