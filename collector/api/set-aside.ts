// GET /v1/store/quarantine: what the store could not take. POST /v1/store/quarantine/load: it is tried again. On record
// before it comes.

import { z } from 'zod';
import {
  type LoadAgainAnswer,
  type LoadAgainOrder,
  SET_ASIDE_LISTED_MAX,
  type SetAsideLine,
} from '../../contract/set-aside.ts';
import type { Clock } from '../../kit/clock.ts';
import { noteEvent } from '../control/control-events.ts';
import type { Database } from '../control/database.ts';
import type { Again, SetAsideMessage } from '../queue/again.ts';
import { ApiError } from './failures.ts';
import { bodyOf, text } from './messages.ts';
import type { Api } from './routes.ts';

const ID_CHARACTERS_MAX = 128;
const NANOSECONDS_PER_MS = 1_000_000n;

const order: z.ZodType<LoadAgainOrder> = z.object({
  ids: z.array(text(ID_CHARACTERS_MAX)).min(1).max(SET_ASIDE_LISTED_MAX),
});

export interface SetAsideDesk {
  readonly again: Again;
  readonly database: Database;
  readonly clock: Clock;
}

export function setAsideRoutes(api: Api, { again, database, clock }: SetAsideDesk): void {
  api.get('/v1/store/quarantine', async (context) =>
    context.json((await again.list(SET_ASIDE_LISTED_MAX)).map(lineOf)),
  );
  api.post('/v1/store/quarantine/load', async (context) => {
    const ids = [...new Set((await bodyOf(context, order)).ids)];
    await allLie(again, ids);
    const actor = context.get('caller').sender;
    const asked = { event: 'records_loaded_again', actor, agent: '', reason: '', details: { ids } } as const;
    await noteEvent(database, asked, clock.nowMs());
    const waiting: LoadAgainAnswer['waiting'][number][] = [];
    for (const id of ids) waiting.push({ id, comes_as: await putBack(again, id) });
    return context.json({ waiting } satisfies LoadAgainAnswer, 202);
  });
}

async function allLie(again: Again, ids: readonly string[]): Promise<void> {
  const lying = new Set((await again.list(SET_ASIDE_LISTED_MAX)).filter(isMessage).map(({ name }) => name));
  const strange = ids.find((id) => !lying.has(id));
  if (strange !== undefined) throw notThere(strange);
}

async function putBack(again: Again, id: string): Promise<string> {
  const came = await again.load(id);
  if (came === null) throw notThere(id); // it landed a moment ago
  if ('as' in came) return came.as;
  throw new ApiError(503, 'unavailable', `${id} stays where it is: ${came.refused}. Try again then.`);
}

const isMessage = ({ kind }: SetAsideMessage): boolean => kind === 'message';

const notThere = (id: string): ApiError =>
  new ApiError(404, 'not_set_aside', `No message ${id} lies set aside: it was loaded, or never was there.`);

const lineOf = (aside: SetAsideMessage): SetAsideLine => ({
  id: aside.name,
  kind: aside.kind,
  signal: aside.signal,
  bytes: aside.bytes,
  sender: aside.received?.sender ?? null,
  received_at: aside.received && iso(Number(aside.received.atUnixNano / NANOSECONDS_PER_MS)),
  set_aside_at: iso(aside.setAsideAtMs),
  reason: aside.reason,
  comes_as: aside.comesAs,
});

const iso = (ms: number): string => new Date(ms).toISOString();
