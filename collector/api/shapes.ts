// What callers may send, checked at the door: anything else is a 400 with a sentence.

import { z } from 'zod';
import { LEASE_SCOPES } from '../../contract/budget.ts';

const amount = z.string().regex(/^\d{1,30}$/, 'must be a whole number as text');
const amounts = z.strictObject({ nanodollars: amount, tokens: amount });
const agentName = z.string().regex(/^[a-z0-9._-]{1,64}$/, 'must be an agent id');
const instance = z.string().min(1).max(128);
const task = z.string().min(1).max(128);
const ASKS_MAX = 10_000;

export const heartbeat = z.strictObject({
  name: agentName,
  instance,
  mode: z.enum(['observe', 'enforce']),
  health: z.enum(['ok', 'degraded']),
  policy: z.string().max(64),
});

export const leaseRequest = z.strictObject({
  agent: agentName,
  instance,
  asks: z
    .array(
      z.strictObject({
        scope: z.enum(LEASE_SCOPES),
        task: task.exactOptional(),
        lease: z.string().max(128).nullable(),
        nonce: z.string().max(64).exactOptional(),
        seq: z.int().nonnegative(),
        granted: amounts,
        posted: amounts,
        held: amounts,
        want: amounts,
        need: amounts,
        release: z.boolean().exactOptional(),
        close: z.boolean().exactOptional(),
      }),
    )
    .max(ASKS_MAX),
});

export const taskEnd = z.strictObject({
  agent: agentName,
  state: z.enum(['done', 'failed']),
  output_units: z.number().nonnegative().exactOptional(),
});
