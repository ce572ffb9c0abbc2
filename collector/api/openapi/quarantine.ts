// What is held apart until somebody looks.

import { body, listOf, milliseconds, object, ok, text, time } from './pieces.ts';

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
} as const;

export const quarantineSchemas = {
  QuarantineLine: object(line),
  QuarantineSet: object({ ...line, known: { type: 'boolean' } }),
} as const;
