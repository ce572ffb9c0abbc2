// POST /v1/budgets/raise, GET /v1/budgets/raises and DELETE /v1/budgets/raises/{id}: more for one budget, for a while.

import type { Context } from 'hono';
import { z } from 'zod';
import { LEVELS } from '../../contract/budget.ts';
import { RAISE_MS_MAX, type RaiseOrder } from '../../contract/raise.ts';
import { NothingToRaise, type Raises } from '../control/raises.ts';
import { ApiError } from './failures.ts';
import type { ApiEnvironment } from './guards.ts';
import { bodyOf, checked, NAME_CHARACTERS_MAX, text } from './messages.ts';
import type { Api } from './routes.ts';

const REASON_CHARACTERS_MAX = 500;

const raiseOrder: z.ZodType<RaiseOrder> = z
  .object({
    level: z.enum(LEVELS),
    name: text(NAME_CHARACTERS_MAX).nullable(),
    unit: z.enum(['nanodollars', 'tokens']),
    window: text(16).nullable(),
    amount: z
      .string()
      .regex(/^[1-9]\d{0,18}$/, 'is a whole number above zero of at most 19 digits, as a string'),
    for_ms: z.int().positive().max(RAISE_MS_MAX),
    reason: text(REASON_CHARACTERS_MAX),
  })
  .refine(({ level, name }) => (level === 'fleet') === (name === null), {
    path: ['name'],
    message: 'is null for the fleet, and for nobody else',
  })
  .refine(({ level, name }) => (level === 'task') === (name?.includes('/') ?? false), {
    path: ['name'],
    message: 'is agent/task for a task, and holds no slash otherwise',
  });

export function raiseRoutes(api: Api, raises: Raises): void {
  api.get('/v1/budgets/raises', async (context) => context.json(await raises.lines()));
  api.post('/v1/budgets/raise', async (context) => {
    const order = await bodyOf(context, raiseOrder);
    try {
      return context.json(await raises.raise(order, senderOf(context)));
    } catch (failure) {
      if (failure instanceof NothingToRaise) throw new ApiError(404, 'nothing_to_raise', failure.message);
      throw failure;
    }
  });
  api.delete('/v1/budgets/raises/:id', async (context) => {
    const id = checked(context.req.param('id'), text(64));
    if (!(await raises.end(id, senderOf(context))))
      throw new ApiError(
        404,
        'unknown_raise',
        `No raise ${id} is in force; see \`outrider budgets raises\`.`,
      );
    return context.json({});
  });
}

const senderOf = (context: Context<ApiEnvironment>): string => context.get('caller').sender;
