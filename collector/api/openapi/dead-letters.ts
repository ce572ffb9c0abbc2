// Dead letters: seen, replayed, discarded; and the way of a replay between collector and sidecar.

import { DEAD_LETTER_KINDS, DEAD_LETTER_STATES } from '../../../contract/dead-letter.ts';
import { body, inPath, listOf, object, ok, optional, text, textOrNull, time } from './pieces.ts';

const letter = inPath('id');
const number = { type: 'integer' };
const bytes = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
const line = {
  id: text,
  agent: text,
  task: text,
  upstream: text,
  target: text,
  kind: { enum: DEAD_LETTER_KINDS },
  state: { enum: DEAD_LETTER_STATES },
  since: time,
  last_seen: time,
  calls: number,
  folded: number,
  error_type: text,
  http_status: number,
  message: text,
  replayable: { type: 'boolean' },
};
const result = object({
  call_id: text,
  status: text,
  http_status: number,
  refusal: text,
  error_type: text,
  why: text,
});

export const letterPaths = {
  '/v1/dead-letters': {
    get: {
      summary: 'Calls that failed for good or whose outcome is unknown',
      parameters: [
        optional('agent'),
        optional('upstream'),
        optional('state', { enum: [...DEAD_LETTER_STATES, 'all'], default: 'open' }),
      ],
      responses: ok('The newest first', listOf('DeadLetterLine')),
    },
  },
  '/v1/dead-letters/claims': {
    post: {
      summary: 'Take a letter that waits to be replayed for an agent (sidecars)',
      requestBody: body(object({ agent: text, instance: text })),
      responses: ok('What to replay, or null', { type: ['object', 'null'] }),
    },
  },
  '/v1/dead-letters/{id}': {
    get: {
      summary: 'All that is known of one, and what its task has done so far',
      parameters: [letter],
      responses: ok('The letter', { $ref: '#/components/schemas/DeadLetter' }),
    },
  },
  '/v1/dead-letters/{id}/replay': {
    post: {
      summary: 'Have a sidecar of its agent carry it again, once, under the rules and budgets of now',
      parameters: [letter],
      requestBody: body(object({ even_if_it_may_have_happened: { type: 'boolean' } })),
      responses: ok('It waits for a sidecar', object({ id: text, until: time, live: number })),
    },
  },
  '/v1/dead-letters/{id}/discard': {
    post: {
      summary: 'Close it, and erase what is kept of it',
      parameters: [letter],
      requestBody: body(object({ reason: text })),
      responses: ok('It is closed', object({})),
    },
  },
  '/v1/dead-letters/{id}/replays/{attempt}': {
    post: {
      summary: 'Say that a replay still runs, or what came of it (sidecars)',
      parameters: [letter, inPath('attempt')],
      requestBody: body(
        object({ instance: text, answer: text, result: { oneOf: [result, { type: 'null' }] } }),
      ),
      responses: ok('It was heard', object({})),
    },
  },
  '/v1/bodies/{sha256}': {
    put: {
      summary: 'Keep bytes by the SHA-256 of their content (sidecars)',
      parameters: [inPath('sha256')],
      requestBody: { required: true, content: bytes },
      responses: ok('They are kept', object({})),
    },
    get: {
      summary: 'What is kept by this name (sidecars)',
      parameters: [inPath('sha256')],
      responses: { 200: { description: 'The bytes', content: bytes } },
    },
  },
} as const;

export const letterSchemas = {
  DeadLetterLine: object(line),
  DeadLetter: object({
    ...line,
    instance: text,
    owner: text,
    department: text,
    method: text,
    path: text,
    operation: text,
    model: text,
    refusal: text,
    upstream_status: number,
    trace_id: text,
    span_id: text,
    body_digest: text,
    request: { type: ['object', 'null'] },
    not_kept: text,
    answer: textOrNull,
    attempts: { type: 'array', items: { type: 'object' } },
    replays: number,
    replay_asked_by: text,
    result: { oneOf: [result, { type: 'null' }] },
    closed_at: { type: ['string', 'null'], format: 'date-time' },
    closed_by: text,
    reason: text,
    task_so_far: { type: 'array', items: { type: 'object' } },
  }),
} as const;
