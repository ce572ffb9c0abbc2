// POST /v1/store/erase: what was said is taken back, by hash or by call. On record before it goes.

import { z } from 'zod';
import type { Erasure, ErasureOrder } from '../../contract/erasure.ts';
import type { Clock } from '../../kit/clock.ts';
import { noteEvent } from '../control/control-events.ts';
import type { Database } from '../control/database.ts';
import { eraseBodies, hashesOfCall, keptBodies } from '../store/erase.ts';
import type { Store } from '../store/store.ts';
import { ApiError } from './failures.ts';
import { bodyOf, text } from './messages.ts';
import type { Api } from './routes.ts';

const REASON_CHARACTERS_MAX = 500;
const HASHES_MAX = 1_000;
const CALL_CHARACTERS_MAX = 128;

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'is a SHA-256 in lower-case hex');
const order: z.ZodType<ErasureOrder> = z
  .object({
    hashes: z.array(hash).max(HASHES_MAX),
    call: z.union([z.literal(''), text(CALL_CHARACTERS_MAX)]),
    reason: text(REASON_CHARACTERS_MAX),
  })
  .refine(({ hashes, call }) => hashes.length > 0 !== (call !== ''), 'names hashes or a call');

export interface ErasingOptions {
  readonly store: Store;
  readonly database: Database;
  readonly clock: Clock;
}

export function erasureRoutes(api: Api, { store, database, clock }: ErasingOptions): void {
  api.post('/v1/store/erase', async (context) => {
    const { hashes, call, reason } = await bodyOf(context, order);
    const erased = await keptBodies(store, call === '' ? hashes : await hashesOfCall(store, call));
    if (erased.length === 0)
      throw new ApiError(
        404,
        'no_body',
        'Nothing of it is kept: it was erased, is past its time, or never came.',
      );
    const details = { hashes: erased, call };
    const actor = context.get('caller').sender;
    await noteEvent(database, { event: 'body_erased', actor, agent: '', reason, details }, clock.nowMs());
    await eraseBodies(store, erased);
    const answer: Erasure = { erased };
    return context.json(answer);
  });
}
