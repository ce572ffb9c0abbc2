// GET, POST /v1/quarantine and POST /v1/quarantine/lift: what is held apart, why, and until when. GET
// /v1/quarantine/radius: what a subject touched, and who worked on with what it said.

import type { Context } from 'hono';
import { z } from 'zod';
import type { Config } from '../../contract/config/config.ts';
import {
  QUARANTINE_MS_MAX,
  type QuarantineLift,
  type QuarantineOrder,
  type QuarantineSet,
  REASON_CHARACTERS_MAX,
  readSubject,
  SUBJECT_FORMS,
} from '../../contract/quarantine.ts';
import { type Quarantines, QuarantinesFull } from '../control/quarantines.ts';
import { isKnownAgent, type Roster } from '../control/roster.ts';
import { blastRadius } from '../rollups/blast-radius.ts';
import type { Store } from '../store/store.ts';
import { ApiError } from './failures.ts';
import type { ApiEnvironment } from './guards.ts';
import { bodyOf, checked, text } from './messages.ts';
import type { Api } from './routes.ts';

const SUBJECT_CHARACTERS_MAX = 1_024;

const subject = text(SUBJECT_CHARACTERS_MAX).refine(
  (value) => readSubject(value) !== undefined,
  `is none of ${SUBJECT_FORMS}`,
);

const quarantineOrder: z.ZodType<QuarantineOrder> = z.object({
  subject,
  reason: text(REASON_CHARACTERS_MAX),
  for_ms: z.int().positive().max(QUARANTINE_MS_MAX).nullable(),
});

const quarantineLift: z.ZodType<QuarantineLift> = z.object({
  subject,
  reason: text(REASON_CHARACTERS_MAX).exactOptional(),
});

const radiusQuery = z.object({
  subject,
  since: z.iso.datetime({ offset: true, error: 'is not a moment such as 2026-01-05T09:00:00Z' }),
});

export interface QuarantineDesk {
  readonly quarantines: Quarantines;
  readonly roster: Roster;
  readonly store: Store;
  config(): Config;
}

export function quarantineRoutes(api: Api, { quarantines, roster, store, config }: QuarantineDesk): void {
  api.get('/v1/quarantine', (context) => context.json(quarantines.lines()));
  api.post('/v1/quarantine', async (context) => {
    const order = await bodyOf(context, quarantineOrder);
    const line = await orFull(quarantines.set(order, senderOf(context), 'person'));
    if (!line) throw new ApiError(503, 'unavailable', 'The quarantine was not kept. Try again shortly.');
    const answer: QuarantineSet = { ...line, known: isKnown(order.subject, config(), roster) };
    return context.json(answer);
  });
  api.post('/v1/quarantine/lift', async (context) => {
    const { subject: lifted, reason = 'lifted by hand' } = await bodyOf(context, quarantineLift);
    if (!(await quarantines.lift(lifted, senderOf(context), reason)))
      throw new ApiError(404, 'nothing_to_lift', `${lifted} is not in quarantine.`);
    return context.json({});
  });
  api.get('/v1/quarantine/radius', async (context) => {
    const { subject: of, since } = checked(context.req.query(), radiusQuery);
    const asked = { text: of, subject: readSubject(of)!, sinceMs: Date.parse(since) };
    return context.json(await blastRadius((sql, parameters) => store.query(sql, parameters), asked));
  });
}

const senderOf = (context: Context<ApiEnvironment>): string => context.get('caller').sender;

async function orFull<T>(kept: Promise<T>): Promise<T> {
  try {
    return await kept;
  } catch (failure) {
    if (failure instanceof QuarantinesFull) throw new ApiError(409, 'quarantine_full', failure.message);
    throw failure;
  }
}

/** In an incident nothing is turned away for being unheard of, but whoever mistyped must learn it. */
function isKnown(of: string, config: Config, roster: Roster): boolean {
  const { kind, owner } = readSubject(of)!;
  if (kind === 'fleet' || owner.includes('*')) return true;
  if (kind === 'agent' || kind === 'task') return isKnownAgent(owner, config, roster);
  return config.upstreams.has(owner);
}
