// POST /v1/holds and POST /v1/holds/{id}: money set aside for one call by who has no lease, and what became of it.

import type { Context } from 'hono';
import { z } from 'zod';
import {
  HOLD_ID_CHARACTERS_MAX,
  HOLD_TTL_MS_MAX,
  type HoldAsk,
  type HoldLine,
  type HoldRefused,
  type HoldSettlement,
} from '../../contract/hold.ts';
import type { Holds } from '../control/holds.ts';
import { ApiError } from './failures.ts';
import { type ApiEnvironment, mustBe, mustSpeakFor } from './guards.ts';
import { agentName, amounts, bodyOf, checked, taskId, text } from './messages.ts';
import type { Api } from './routes.ts';

const REASON_CHARACTERS_MAX = 500;
const holdId = text(HOLD_ID_CHARACTERS_MAX);

const holdAsk: z.ZodType<HoldAsk> = z.object({
  id: holdId,
  agent: agentName,
  task: taskId.exactOptional(),
  amounts,
  ttl_ms: z.int().positive().max(HOLD_TTL_MS_MAX),
});

const settlement: z.ZodType<HoldSettlement> = z.union(
  [
    z.strictObject({ post: amounts }),
    z.strictObject({ release: z.literal(true) }),
    z.strictObject({ correct: amounts, reason: text(REASON_CHARACTERS_MAX) }),
  ],
  {
    error:
      'is one of {post: amounts}, {release: true} and {correct: amounts, reason}; amounts are strings of digits',
  },
);

/** One sentence for who asked. */
export function reasonOf({ obstacle, may_retry }: HoldRefused): string {
  const { level, name, window, unit, reason } = obstacle;
  if (may_retry) return 'Only what others hold stands in the way, and it was called back: ask again shortly.';
  if (unit === 'tasks') return `There are too many ${name}: end some, or go on with one of them.`;
  return reason === 'grace'
    ? `What is left of the ${window} budget of ${level} ${name} is kept for tasks that have begun.`
    : `The ${window} budget of ${level} ${name} is spent.`;
}

export function holdRoutes(api: Api, holds: Holds): void {
  api.post('/v1/holds', async (context) => {
    const asked = await bodyOf(context, holdAsk);
    mustSpeakFor(asked.agent, context.get('caller'));
    const taken = await holds.take(asked, senderOf(context));
    if (taken.outcome === 'held') return context.json(taken.hold);
    if (taken.outcome === 'id_conflict')
      throw new ApiError(409, 'id_conflict', 'This id is of another hold: draw a new one for each call.');
    const { obstacle, may_retry } = taken;
    const error = { code: 'over_budget', message: reasonOf(taken) };
    return context.json({ error, obstacle, may_retry }, 402);
  });
  api.post('/v1/holds/:id', async (context) => {
    const id = checked(context.req.param('id'), holdId);
    const how = await bodyOf(context, settlement);
    const caller = context.get('caller');
    if ('correct' in how) mustBe('operator', caller);
    if (caller.agents !== null) mustSpeakFor((await holds.agentOf(id)) ?? '', caller);
    const settled = await holds.settle(id, how, senderOf(context));
    if (settled.outcome === 'settled') return context.json(settled.hold);
    if (settled.outcome === 'unknown') throw new ApiError(404, 'unknown_hold', `There is no hold ${id}.`);
    const error = { code: 'already_settled', message: standsOf(settled.hold) };
    return context.json({ error, hold: settled.hold }, 409);
  });
}

function standsOf({ state }: HoldLine): string {
  return state === 'held'
    ? 'The hold is not settled yet: post or release it, then correct it.'
    : `The hold was ${state} before, and that stands: correct it, with a reason, if it is not the truth.`;
}

const senderOf = (context: Context<ApiEnvironment>): string => context.get('caller').sender;
