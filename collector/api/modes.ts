// GET, POST /v1/modes and DELETE /v1/modes/{agent}: who observes or enforces for a while, against what the config says.

import type { Context } from 'hono';
import { z } from 'zod';
import { MODES } from '../../contract/attributes.ts';
import type { Config } from '../../contract/config/config.ts';
import { MODE_MS_MAX, type ModeOrder, OBSERVE_MS_MAX } from '../../contract/mode.ts';
import type { Modes } from '../control/modes.ts';
import { isKnownAgent, type Roster } from '../control/roster.ts';
import { ApiError } from './failures.ts';
import type { ApiEnvironment } from './guards.ts';
import { agentName, bodyOf, checked, text } from './messages.ts';
import type { Api } from './routes.ts';

const REASON_CHARACTERS_MAX = 500;
const HOURS_MAX = OBSERVE_MS_MAX / 3_600_000;

const modeOrder: z.ZodType<ModeOrder> = z
  .object({
    agent: agentName,
    mode: z.enum(MODES),
    for_ms: z.int().positive().max(MODE_MS_MAX).nullable(),
    reason: text(REASON_CHARACTERS_MAX),
  })
  .refine(({ mode, for_ms }) => mode === 'enforce' || (for_ms !== null && for_ms <= OBSERVE_MS_MAX), {
    path: ['for_ms'],
    message: `observing always ends by itself, at most ${HOURS_MAX} h from now`,
  });

export function modeRoutes(api: Api, modes: Modes, roster: Roster, config: () => Config): void {
  api.get('/v1/modes', (context) => context.json(modes.lines()));
  api.post('/v1/modes', async (context) => {
    const order = await bodyOf(context, modeOrder);
    mustBeKnown(order.agent, roster, config());
    return context.json(await modes.set(order, senderOf(context)));
  });
  api.delete('/v1/modes/:agent', async (context) => {
    const agent = checked(context.req.param('agent'), agentName);
    if (!(await modes.restore(agent, senderOf(context)))) {
      throw new ApiError(404, 'nothing_to_restore', `Agent ${agent} is in the mode its config says.`);
    }
    return context.json({});
  });
}

const senderOf = (context: Context<ApiEnvironment>): string => context.get('caller').sender;

/** A mistyped name would be an order that nobody follows. */
function mustBeKnown(agent: string, roster: Roster, config: Config): void {
  if (config.agents.has(agent) || isKnownAgent(agent, config, roster)) return;
  throw new ApiError(404, 'unknown_agent', `No agent is called ${agent}, and no entry of the config is.`);
}
