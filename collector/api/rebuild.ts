// POST /v1/store/rebuild: tables that are counted from others are made anew. GET /v1/store/rebuild: how far it is.

import { z } from 'zod';
import { REBUILDABLE, type RebuildOrder } from '../../contract/rebuild.ts';
import type { Rebuilds } from '../rebuild.ts';
import { bodyOf } from './messages.ts';
import type { Api } from './routes.ts';

const order: z.ZodType<RebuildOrder> = z.object({ tables: z.array(z.enum(REBUILDABLE)).min(1) });

export function rebuildRoutes(api: Api, rebuilds: Rebuilds): void {
  api.get('/v1/store/rebuild', async (context) => context.json(await rebuilds.state()));
  api.post('/v1/store/rebuild', async (context) => {
    const { tables } = await bodyOf(context, order);
    return context.json(await rebuilds.ask([...new Set(tables)], context.get('caller').sender), 202);
  });
}
