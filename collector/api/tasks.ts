// POST /v1/tasks/{id}: a task is done or has failed.

import type { Handler } from 'hono';
import type { Ledger } from '../control/ledger.ts';
import { ApiError } from './failures.ts';
import { type ApiEnvironment, mustSpeakFor } from './guards.ts';
import { bodyOf, checked, taskEnd, taskId } from './messages.ts';

export function endTask(ledger: Ledger): Handler<ApiEnvironment> {
  return async (context) => {
    const task = checked(context.req.param('id'), taskId);
    const end = await bodyOf(context, taskEnd);
    mustSpeakFor(end.agent, context.get('caller'));
    if (!(await ledger.endTask(task, end, context.get('caller').sender))) {
      throw new ApiError(404, 'unknown_agent', `No agent is called ${end.agent}, so it has no task ${task}.`);
    }
    return context.json({});
  };
}
