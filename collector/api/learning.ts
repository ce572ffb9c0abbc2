// POST /v1/budgets/learn: a ledger restored by other means than ours is told so. POST /v1/budgets/learned: it grants again.

import { z } from 'zod';
import { endLearning, type LearningOptions, learn } from '../control/learning.ts';
import { bodyOf, text } from './messages.ts';
import type { Api } from './routes.ts';

const REASON_CHARACTERS_MAX = 500;
const why = z.object({ reason: text(REASON_CHARACTERS_MAX) });

export function learningRoutes(api: Api, options: LearningOptions): void {
  api.post('/v1/budgets/learn', async (context) => {
    const { reason } = await bodyOf(context, why);
    const untilMs = await learn(options, context.get('caller').sender, reason);
    return context.json({ until: new Date(untilMs).toISOString() });
  });
  api.post('/v1/budgets/learned', async (context) => {
    const { reason } = await bodyOf(context, why);
    await endLearning(options, context.get('caller').sender, reason);
    return context.json({});
  });
}
