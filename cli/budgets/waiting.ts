// `outrider budgets waiting`: what waits for money, and until when.

import type { WaitingLine } from '../../contract/budget.ts';
import { table } from '../../kit/table.ts';
import type { CollectorClient } from '../collector-client.ts';
import type { Io } from '../command.ts';

const WHY = {
  held: 'money is held by calls in flight',
  spent: 'the budget is used up',
  grace: 'what is left is for running tasks',
} as const;

export async function listWaiting(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const lines = await collector.get<WaitingLine[]>('/v1/budgets/waiting');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  if (lines.length === 0) return io.stdout('Nothing waits for money.\n');
  const head = ['AGENT', 'INSTANCE', 'TASK', 'CALLS', 'BUDGET', 'WHY', 'SINCE', 'UNTIL'];
  const cells = ({ agent, instance, task, calls, level, name, window, why, since, until }: WaitingLine) => [
    agent,
    instance,
    task,
    String(calls),
    level === null ? '–' : `${level}/${name} ${window}`,
    WHY[why],
    since.slice(0, 19),
    until === null ? (why === 'held' ? 'they end' : 'it is raised') : until.slice(0, 19),
  ];
  io.stdout(table([head, ...lines.map(cells)]));
}
