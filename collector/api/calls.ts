// GET /v1/calls: calls newest first, a page at a time, by agent, status, refusal or any text in them.

import type { Handler } from 'hono';
import { z } from 'zod';
import { STATUSES } from '../../contract/attributes.ts';
import { type CallLine, type CallsAnswer, RANGES, type Range } from '../../contract/console.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Store } from '../store/store.ts';
import { AS_NUMBERS, CALL_COLUMNS } from './call-rows.ts';
import { checked } from './messages.ts';

const PAGE_MAX = 200;
/** A page is looked for in the last hour, then in the last day, before all of the range: there are often enough. */
const LOOK_BACK_MS = [3_600_000, 86_400_000, Number.POSITIVE_INFINITY];

/** `2026-01-05T10:00:00.123Z~<call id>`: the last row of the page before. */
const cursor = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z~[\w-]{1,64}$/, 'is no cursor of ours')
  .refine((text) => Number.isFinite(Date.parse(text.split('~')[0]!)), 'is no cursor of ours');

const word = z
  .string()
  .max(256)
  .refine((text) => text.isWellFormed(), 'is no text')
  .default('');
const callsQuery = z.object({
  range: z.enum(Object.keys(RANGES) as [Range, ...Range[]]).default('24h'),
  agent: word,
  status: z.enum(['', ...STATUSES]).default(''),
  refusal: word,
  task: word,
  text: word,
  after: cursor.optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(100),
});

/** Each filter that is empty lets everything pass; `text` is looked for as it is written, in any case. */
const FILTERED = `({agent:String} = '' OR agent_id = {agent:String})
  AND ({status:String} = '' OR status = {status:String})
  AND ({refusal:String} = '' OR refusal = {refusal:String})
  AND ({task:String} = '' OR task_id = {task:String})
  AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(agent_id, '\\n', target, '\\n', model, '\\n', task_id, '\\n',
    refusal, '\\n', rule, '\\n', call_id, '\\n', trace_id), {text:String}) > 0)`;

interface Page {
  readonly from: number;
  readonly before: number;
  /** Where looking back begins. */
  readonly lastMs: number;
  readonly limit: number;
  readonly [filter: string]: string | number;
}

async function newestOf(store: Store, { from, lastMs, ...page }: Page): Promise<CallLine[]> {
  for (const backMs of LOOK_BACK_MS) {
    const since = Math.max(from, lastMs - backMs);
    const calls = await store.query<CallLine>(
      `SELECT ${CALL_COLUMNS} FROM actions
       WHERE timestamp >= fromUnixTimestamp64Milli({from:Int64})
         AND (timestamp, call_id) < (fromUnixTimestamp64Milli({before:Int64}), {beforeId:String}) AND ${FILTERED}
       ORDER BY timestamp DESC, call_id DESC LIMIT {limit:UInt32} ${AS_NUMBERS}`,
      { ...page, from: since },
    );
    if (calls.length === page.limit || since === from) return calls;
  }
  return [];
}

export function listCalls(store: Store, clock: Clock): Handler {
  return async (context) => {
    const { range, after, limit, ...filters } = checked(context.req.query(), callsQuery);
    const [beforeText = '', beforeId = ''] = after?.split('~') ?? [];
    const nowMs = clock.nowMs();
    const calls = await newestOf(store, {
      ...filters,
      from: nowMs - RANGES[range].seconds * 1000,
      // A sidecar's clock may be ahead of ours.
      before: after === undefined ? nowMs + 86_400_000 : Date.parse(beforeText),
      lastMs: after === undefined ? nowMs : Date.parse(beforeText),
      beforeId,
      limit: limit + 1,
    });
    const page = calls.slice(0, limit);
    const last = page.at(-1);
    const answer: CallsAnswer = {
      calls: page,
      next: calls.length > limit && last ? `${last.time}~${last.call_id}` : null,
    };
    return context.json(answer);
  };
}
