// What may be sent to the control API, checked at the door: types, sizes, and text that a database can hold.

import type { Context } from 'hono';
import { z } from 'zod';
import {
  type Heartbeat,
  LEASE_SCOPES,
  LEVELS,
  type LeaseRequest,
  type TaskEnd,
  WAITING_WHYS,
} from '../../contract/budget.ts';
import { STREAM_CHARACTERS_MAX } from '../../contract/chain-ranges.ts';
import { badRequest } from './failures.ts';

const ASKS_MAX = 4_000;
const WAITING_MAX = 1_000;
/** Of a budget: a task's is named `agent/task`. */
export const NAME_CHARACTERS_MAX = 641;

/** No control characters, no half of a surrogate pair: Postgres takes neither in JSON. */
export const text = (charactersMax: number) =>
  z
    .string()
    .min(1)
    .max(charactersMax)
    .refine(
      (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
      'holds a line break, another control character or broken Unicode',
    );

/** A slash would make agent `a/b` and task `b` of agent `a` the same account. */
export const agentName = text(128).refine((name) => !name.includes('/'), 'an agent’s name holds no slash');
export const instanceName = text(256);
const taskName = text(512);
const wholeNumber = z.string().regex(/^\d{1,24}$/, 'is a whole number of at most 24 digits, as a string');
export const amounts = z.object({ nanodollars: wholeNumber, tokens: wholeNumber });

const leaseAsk = z
  .object({
    scope: z.enum(LEASE_SCOPES),
    task: taskName.exactOptional(),
    lease: text(64).nullable(),
    nonce: text(64).exactOptional(),
    seq: z.int().nonnegative(),
    granted: amounts,
    posted: amounts,
    held: amounts,
    want: amounts,
    need: amounts,
    release: z.boolean().exactOptional(),
    close: z.boolean().exactOptional(),
  })
  .refine(
    ({ scope, task }) => (scope === 'task') === (task !== undefined),
    'names a task exactly when its scope is task',
  )
  .refine(
    ({ want, need }) =>
      BigInt(need.nanodollars) <= BigInt(want.nanodollars) && BigInt(need.tokens) <= BigInt(want.tokens),
    'needs more than it wants',
  );

export const leaseRequest: z.ZodType<LeaseRequest> = z.object({
  agent: agentName,
  instance: instanceName,
  asks: z.array(leaseAsk).max(ASKS_MAX),
});

export const heartbeat: z.ZodType<Heartbeat> = z.object({
  name: agentName,
  instance: instanceName,
  mode: text(32),
  health: z.enum(['ok', 'degraded']),
  policy: z.string().max(128),
  waiting: z
    .array(
      z.object({
        task: taskName,
        why: z.enum(WAITING_WHYS),
        calls: z.int().positive(),
        level: z.enum(LEVELS).nullable(),
        name: z.string().max(NAME_CHARACTERS_MAX),
        window: z.string().max(16),
        since: z.iso.datetime(),
        until: z.iso.datetime().nullable(),
      }),
    )
    .max(WAITING_MAX)
    .exactOptional(),
  stream: text(STREAM_CHARACTERS_MAX).exactOptional(),
  began: z
    .object({
      after: z.string().max(STREAM_CHARACTERS_MAX),
      seq: z.int().nonnegative(),
      damagedBytes: z.int().nonnegative(),
    })
    .exactOptional(),
});

export const writeOffRequest = z.object({
  lease: text(64).exactOptional(),
  agent: agentName.exactOptional(),
  reason: text(1_000),
  dry_run: z.boolean().default(false),
});

export const taskId = taskName;

export const taskEnd: z.ZodType<TaskEnd> = z.object({
  agent: agentName,
  state: z.enum(['done', 'failed']),
  output_units: z.int().nonnegative().exactOptional(),
});

export const listener = z.object({
  agent: z.union([z.literal(''), agentName]).default(''),
  instance: instanceName,
});

/** The body as the schema has it. Throws ApiError 400 with a sentence naming the first field that is wrong. */
export async function bodyOf<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  let body: unknown;
  try {
    body = await context.req.json();
  } catch (failure) {
    if (!(failure instanceof SyntaxError)) throw failure;
    throw badRequest('The body is not JSON.');
  }
  return checked(body, schema);
}

export function checked<T>(value: unknown, schema: z.ZodType<T>): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const issue = error.issues[0];
  const where = issue?.path.join('.') || 'the message';
  throw badRequest(`${where}: ${issue?.message ?? 'has the wrong shape'}.`);
}
