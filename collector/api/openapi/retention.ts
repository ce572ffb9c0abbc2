// How long what is kept, and the legal holds that keep it longer.

import { RETENTION_CLASSES } from '../../../contract/retention.ts';
import { body, inPath, json, listOf, object, ok, optional, text, textOrNull, time } from './pieces.ts';

const timeOrNull = { type: ['string', 'null'], format: 'date-time' };
const partition = {
  class: { enum: RETENTION_CLASSES },
  table: text,
  partition: text,
  rows: { type: 'integer' },
  bytes: { type: 'integer' },
};
const order = { agent: text, from: timeOrNull, until: timeOrNull, reason: text };

export const retentionPaths = {
  '/v1/store/retention': {
    get: {
      summary: 'How long what is kept, and what is past its time',
      responses: ok('What is due', { $ref: '#/components/schemas/RetentionState' }),
    },
    post: {
      summary: 'Drop what is past its time now, instead of within the hour',
      requestBody: body(object({ trust_clock: { type: 'boolean' } })),
      responses: {
        ...ok('What went', { $ref: '#/components/schemas/RetentionRun' }),
        409: { description: 'The clock stands too far after the last run to be believed' },
      },
    },
  },
  '/v1/store/holds': {
    get: {
      summary: 'The legal holds in force; with ended=true those of before too',
      parameters: [optional('ended')],
      responses: ok('The legal holds', listOf('LegalHold')),
    },
    post: {
      summary: 'Keep rows beyond their time: of the fleet or one agent, in a range of time',
      requestBody: body(object(order)),
      responses: {
        201: { description: 'In force', content: json({ $ref: '#/components/schemas/LegalHold' }) },
      },
    },
  },
  '/v1/store/holds/{id}/end': {
    post: {
      summary: 'End a legal hold: what is past its time goes within the hour',
      parameters: [inPath('id')],
      requestBody: body(object({ reason: text })),
      responses: {
        ...ok('Ended', { $ref: '#/components/schemas/LegalHold' }),
        404: { description: 'None of this id is in force' },
      },
    },
  },
} as const;

export const retentionSchemas = {
  RetentionState: object({
    days: object(Object.fromEntries(RETENTION_CLASSES.map((name) => [name, { type: 'integer' }]))),
    last_run: timeOrNull,
    clock_believed: { type: 'boolean' },
    overdue: { type: 'array', items: object({ ...partition, held_by: { type: 'array', items: text } }) },
  }),
  RetentionRun: object({
    dropped: { type: 'array', items: object(partition) },
    streams: {
      type: 'array',
      items: object({
        stream: text,
        dropped: { type: 'array', items: { type: 'array', items: text } },
        kept_from: textOrNull,
      }),
    },
  }),
  LegalHold: object({
    id: text,
    ...order,
    set_at: time,
    actor: text,
    ended_at: timeOrNull,
    ended_by: text,
    end_reason: text,
  }),
} as const;
