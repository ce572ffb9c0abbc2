// GET /v1/dead-letters and what may be done with one: looked at, replayed, discarded; and how sidecars take what is to be
// replayed and say what came of it.

import type { Context } from 'hono';
import { z } from 'zod';
import {
  DEAD_LETTER_STATES,
  type DeadLetter,
  KEPT_ANSWER_BYTES_MAX,
  type KeptRequestText,
  type ReplayClaim,
  type ReplayOrder,
  type ReplayQueued,
  type ReplayReport,
  type TaskCall,
} from '../../contract/dead-letter.ts';
import { failedCallOf, iso, type LetterRow, lineOf, whyNotKept } from '../control/dead-letter-rows.ts';
import type { DeadLetters, LetterRefusal } from '../control/dead-letters.ts';
import type { KeptBodies } from '../control/kept-bodies.ts';
import type { Roster } from '../control/roster.ts';
import type { Store } from '../store/store.ts';
import { ApiError, badRequest } from './failures.ts';
import { type ApiEnvironment, mustSpeakFor } from './guards.ts';
import { agentName, bodyOf, checked, instanceName, text } from './messages.ts';
import type { Api } from './routes.ts';

export interface LetterDesk {
  readonly letters: DeadLetters;
  readonly bodies: KeptBodies;
  readonly roster: Roster;
  readonly store: Store;
}

const LISTED_MAX = 1_000;
const CALLS_SHOWN = 20;
const TASK_CALLS_SHOWN = 100;
const REASON_CHARACTERS_MAX = 500;
/** Fewer characters of an id would name the wrong letter one day. */
const ID = /^[0-9a-f]{6,32}$/;

const filter = z.object({
  agent: agentName.optional(),
  upstream: text(128).optional(),
  state: z.enum([...DEAD_LETTER_STATES, 'all']).default('open'),
});
const order: z.ZodType<ReplayOrder> = z.object({ even_if_it_may_have_happened: z.boolean() });
const claim: z.ZodType<ReplayClaim> = z.object({ agent: agentName, instance: instanceName });
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'is a SHA-256 in lower-case hex');
const short = z.string().max(512);
const report: z.ZodType<ReplayReport> = z.object({
  instance: instanceName,
  answer: digest.or(z.literal('')),
  result: z
    .object({
      call_id: short,
      status: short,
      http_status: z.int().min(0).max(999),
      refusal: short,
      error_type: short,
      why: short,
    })
    .nullable(),
});

export function letterRoutes(api: Api, desk: LetterDesk): void {
  const { letters, roster } = desk;
  api.get('/v1/dead-letters', async (context) => {
    const { state, ...of } = checked(context.req.query(), filter);
    const rows = await letters.list({ ...of, states: statesOf(state), limit: LISTED_MAX });
    return context.json(rows.map(lineOf));
  });
  api.post('/v1/dead-letters/claims', async (context) => {
    const claimed = await bodyOf(context, claim);
    mustSpeakFor(claimed.agent, context.get('caller'));
    return context.json(await letters.claim(claimed));
  });
  api.get('/v1/dead-letters/:id', async (context) =>
    context.json(await shown(await found(context, letters), desk)),
  );
  api.post('/v1/dead-letters/:id/replay', async (context) => {
    const { even_if_it_may_have_happened: evenIf } = await bodyOf(context, order);
    const letter = await found(context, letters);
    const came = await letters.askReplay(letter.letter_id, evenIf, senderOf(context));
    if (typeof came === 'string') throw refused(came, letter);
    const live = roster.lines().filter(({ name, health }) => name === letter.agent && health !== 'away');
    const queued: ReplayQueued = { id: letter.letter_id, until: iso(came.untilMs), live: live.length };
    return context.json(queued);
  });
  api.post('/v1/dead-letters/:id/discard', async (context) => {
    const { reason } = await bodyOf(context, z.object({ reason: text(REASON_CHARACTERS_MAX) }));
    const letter = await found(context, letters);
    const came = await letters.discard(letter.letter_id, reason, senderOf(context));
    if (came !== 'done') throw refused(came, letter);
    return context.json({});
  });
  api.post('/v1/dead-letters/:id/replays/:attempt', async (context) => {
    const attempt = checked(Number(context.req.param('attempt')), z.int().positive());
    const said = await bodyOf(context, report);
    const caller = context.get('caller');
    if (caller.agents !== null) mustSpeakFor((await found(context, letters)).agent, caller);
    const heard = await letters.report(idFrom(context), attempt, said);
    if (heard) return context.json({});
    throw new ApiError(409, 'not_yours', 'This replay is not this instance’s, or no longer.');
  });
}

const senderOf = (context: Context<ApiEnvironment>): string => context.get('caller').sender;

const statesOf = (state: z.output<typeof filter>['state']) =>
  state === 'all' ? DEAD_LETTER_STATES : [state];

function idFrom(context: Context<ApiEnvironment>): string {
  const named = context.req.param('id') ?? '';
  if (ID.test(named)) return named;
  const shown = named.slice(0, 40);
  throw badRequest(`${shown} is no id of a dead letter, nor its first six characters or more.`);
}

async function found(context: Context<ApiEnvironment>, letters: DeadLetters): Promise<LetterRow> {
  const named = idFrom(context);
  const letter = await letters.find(named);
  if (letter) return letter;
  throw new ApiError(
    404,
    'unknown_letter',
    `No dead letter, or more than one, has an id that begins with ${named}.`,
  );
}

function refused(why: LetterRefusal, letter: LetterRow): ApiError {
  const { letter_id: of, upstream } = letter;
  if (why === 'unknown_letter') return new ApiError(404, why, `There is no dead letter ${of}.`);
  if (why === 'not_kept')
    return new ApiError(
      409,
      why,
      `${of} cannot be replayed: ${whyNotKept(letter) || 'its sidecar has not sent the body yet'}.`,
    );
  if (why === 'may_have_happened') {
    const sentence = `${upstream} may have done ${of} already: look there first, then say --even-if-it-may-have-happened.`;
    return new ApiError(409, why, sentence);
  }
  return new ApiError(409, 'not_open', `${of} is ${why}, no longer open.`);
}

async function shown(letter: LetterRow, desk: LetterDesk): Promise<DeadLetter> {
  const { facts } = letter;
  const [attempts, request, answer, task_so_far] = await Promise.all([
    desk.letters.callsOf(letter.letter_id, CALLS_SHOWN),
    keptRequest(letter, desk.bodies),
    keptAnswer(letter, desk.bodies),
    taskSoFar(letter, desk.store),
  ]);
  return {
    ...lineOf(letter),
    instance: facts.agent_instance,
    owner: facts.owner,
    department: facts.department,
    method: facts.method,
    path: facts.path,
    operation: facts.operation,
    model: facts.model,
    refusal: facts.refusal,
    upstream_status: facts.upstream_status,
    trace_id: facts.trace_id,
    span_id: facts.span_id,
    body_digest: facts.body_digest,
    request,
    not_kept: whyNotKept(letter),
    answer,
    attempts: attempts.map(failedCallOf),
    replays: Number(letter.attempt),
    replay_asked_by: letter.asked_by,
    result: letter.result && { ...withoutMs(letter.result), at: iso(letter.result.at_ms), answer },
    closed_at: letter.closed_at === null ? null : iso(letter.closed_at),
    closed_by: letter.closed_by,
    reason: letter.reason,
    task_so_far,
  };
}

const withoutMs = ({ at_ms: _, ...result }: NonNullable<LetterRow['result']>) => result;

/** One line of JSON with the head, then the body, as the sidecar wrote it (sidecar/dead-letters/kept-request.ts). */
async function keptRequest({ request }: LetterRow, bodies: KeptBodies): Promise<KeptRequestText | null> {
  const bytes = request === '' ? undefined : await bodies.get(request);
  const end = bytes?.indexOf('\n') ?? -1;
  if (!bytes || end < 0) return null;
  const { method, url, headers } = JSON.parse(bytes.toString('utf8', 0, end)) as {
    method: string;
    url: string;
    headers: [string, string][];
  };
  return { method, path: url, headers, body: textOf(bytes.subarray(end + 1)) };
}

async function keptAnswer({ answer }: LetterRow, bodies: KeptBodies): Promise<string | null> {
  const bytes = answer === '' ? undefined : await bodies.get(answer);
  return bytes ? textOf(bytes.subarray(0, KEPT_ANSWER_BYTES_MAX)) : null;
}

/** Null where the bytes are no text. */
function textOf(bytes: Buffer): string | null {
  const text = bytes.toString();
  return Buffer.byteLength(text) === bytes.length && !text.includes('�') ? text : null;
}

/** What exists of the task, for whoever takes it up again. */
async function taskSoFar({ agent, task }: LetterRow, store: Store): Promise<readonly TaskCall[]> {
  const calls = await store.query<TaskCall>(
    `SELECT call_id, formatDateTime(timestamp, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC') AS at, target, action_type AS action,
       toString(cost_usd) AS cost_usd
     FROM actions WHERE agent_id = {agent:String} AND task_id = {task:String} AND status = 'success'
     ORDER BY timestamp DESC LIMIT {limit:UInt32}`,
    { agent, task, limit: TASK_CALLS_SHOWN },
  );
  return calls.reverse();
}
