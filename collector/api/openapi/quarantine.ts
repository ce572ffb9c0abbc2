// What is held apart until somebody looks.

import { body, listOf, milliseconds, object, ok, query, text, time } from './pieces.ts';

const line = {
  subject: text,
  kind: { enum: ['fleet', 'agent', 'task', 'upstream', 'model', 'tool'] },
  reason: text,
  since: time,
  until: { type: ['string', 'null'], format: 'date-time' },
  ms_left: { type: ['integer', 'null'], minimum: 0 },
  actor: text,
  by: { enum: ['person', 'rule'] },
};

export const quarantinePaths = {
  '/v1/quarantine': {
    get: {
      summary: 'Everything in quarantine, the latest first',
      responses: ok('The subjects', listOf('QuarantineLine')),
    },
    post: {
      summary:
        'Hold a subject apart: fleet, agent/NAME, task/AGENT/TASK, upstream/NAME, model/… or tool/UPSTREAM/NAME',
      requestBody: body(object({ subject: text, reason: text, for_ms: milliseconds })),
      responses: ok('In force at every sidecar within two seconds', {
        $ref: '#/components/schemas/QuarantineSet',
      }),
    },
  },
  '/v1/quarantine/lift': {
    post: {
      summary: 'Let a subject go on',
      requestBody: body(object({ subject: text, reason: text }, ['reason'])),
      responses: ok('Lifted', { type: 'object' }),
    },
  },
  '/v1/quarantine/radius': {
    get: {
      summary: 'What a subject touched since a moment, and which agents worked on with what it said',
      parameters: [query('subject'), query('since')],
      responses: ok('Its blast radius', { $ref: '#/components/schemas/BlastRadius' }),
    },
  },
} as const;

const whole = { type: 'integer' };
const seen = { calls: whole, last_seen: time };

export const quarantineSchemas = {
  BlastRadius: object({
    subject: text,
    since: time,
    touched: {
      type: 'array',
      items: object({
        target: text,
        upstream: text,
        agent: text,
        changes: whole,
        refused: whole,
        cost_nanodollars: text,
        first_seen: time,
        ...seen,
      }),
    },
    agents: {
      type: 'array',
      items: object({
        agent: text,
        steps: whole,
        how: { enum: ['itself', 'used', 'asked', 'was asked by', 'shared a trace with'] },
        by: text,
        since: time,
        ...seen,
      }),
    },
    tasks: {
      type: 'array',
      items: object({ agent: text, task: text, changes: whole, first_seen: time, ...seen }),
    },
    credentials: { type: 'array', items: text },
    more: { type: 'boolean' },
  }),
  QuarantineLine: object(line),
  QuarantineSet: object({ ...line, known: { type: 'boolean' } }),
} as const;
