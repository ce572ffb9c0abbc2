// GET, POST /v1/store/retention: what is past its time, and dropping it now. GET, POST /v1/store/holds and
// POST /v1/store/holds/{id}/end: legal holds, which keep it.

import { z } from 'zod';
import type { LegalHoldOrder } from '../../contract/retention.ts';
import { ClockNotBelieved, type Retention } from '../retention.ts';
import { ApiError, badRequest } from './failures.ts';
import { agentName, bodyOf, checked, text } from './messages.ts';
import type { Api } from './routes.ts';

const REASON_CHARACTERS_MAX = 500;
const ID_CHARACTERS_MAX = 64;

const time = z.iso.datetime({ offset: true }).nullable();
const holdOrder: z.ZodType<LegalHoldOrder> = z
  .object({
    agent: z.union([z.literal(''), agentName]),
    from: time,
    until: time,
    reason: text(REASON_CHARACTERS_MAX),
  })
  .refine(({ from, until }) => from === null || until === null || Date.parse(from) < Date.parse(until), {
    path: ['until'],
    message: 'is after from',
  });
const holdEnd = z.object({ reason: text(REASON_CHARACTERS_MAX) });
const runOrder = z.object({ trust_clock: z.boolean() });

export function retentionRoutes(api: Api, retention: Retention): void {
  const { holds } = retention;
  api.get('/v1/store/retention', async (context) => context.json(await retention.state()));
  api.post('/v1/store/retention', async (context) => {
    const { trust_clock } = await bodyOf(context, runOrder);
    try {
      return context.json(await retention.run(trust_clock ? context.get('caller').sender : undefined));
    } catch (failure) {
      if (failure instanceof ClockNotBelieved) throw new ApiError(409, 'clock_not_believed', failure.message);
      throw failure;
    }
  });
  api.get('/v1/store/holds', async (context) => {
    const ended = context.req.query('ended') ?? 'false';
    if (ended !== 'true' && ended !== 'false') throw badRequest('ended is true or false.');
    return context.json(await holds.list(ended === 'true'));
  });
  api.post('/v1/store/holds', async (context) => {
    const hold = await holds.add(await bodyOf(context, holdOrder), context.get('caller').sender);
    await retention.settled();
    return context.json(hold, 201);
  });
  api.post('/v1/store/holds/:id/end', async (context) => {
    const id = checked(context.req.param('id'), text(ID_CHARACTERS_MAX));
    const { reason } = await bodyOf(context, holdEnd);
    const hold = await holds.end(id, context.get('caller').sender, reason);
    if (hold) return context.json(hold);
    throw new ApiError(404, 'no_hold', `No legal hold ${id} is in force.`);
  });
}
