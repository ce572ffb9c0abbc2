// Alerts, silences and channels.

import { MATCHABLE, SEVERITIES } from '../../../contract/alert.ts';
import { body, inPath, listOf, milliseconds, object, ok, text, textOrNull, time } from './pieces.ts';

const aSeverity = { enum: SEVERITIES };
const alertMatchers = {
  type: 'object',
  minProperties: 1,
  properties: Object.fromEntries(MATCHABLE.map((name) => [name, text])),
};

export const alertPaths = {
  '/v1/alerts': {
    get: {
      summary: 'What fires, fired and could; silences; what channels have not taken',
      responses: ok('The alerts', { $ref: '#/components/schemas/AlertList' }),
    },
  },
  '/v1/alerts/test': {
    post: {
      summary: 'Send one real page to each channel of a severity, and wait for the answers',
      requestBody: body(object({ severity: aSeverity })),
      responses: ok('What each channel answered', object({ answers: listOf('AlertAnswer') })),
    },
  },
  '/v1/alerts/ack': {
    post: {
      summary: 'Take an alert on: it is not repeated; `key` null stands for all of it',
      requestBody: body(object({ alert: text, key: textOrNull, reason: text })),
      responses: ok('Acknowledged', object({ acknowledged: { type: 'integer' } })),
    },
  },
  '/v1/alerts/silences': {
    post: {
      summary: 'Tell nobody of what matches, for a while of at most 30 days',
      requestBody: body(object({ matchers: alertMatchers, for_ms: milliseconds, reason: text })),
      responses: ok('Silenced', object({ id: text })),
    },
  },
  '/v1/alerts/silences/{id}': {
    delete: {
      summary: 'End a silence',
      parameters: [inPath('id')],
      responses: ok('Ended', { type: 'object' }),
    },
  },
} as const;

export const alertSchemas = {
  AlertList: object({
    definitions: {
      type: 'array',
      items: object({ id: text, severity: aSeverity, question: text, failing: text }),
    },
    active: listOf('AlertLine'),
    history: { type: 'array', items: { $ref: '#/components/schemas/AlertLine' } },
    silences: {
      type: 'array',
      items: object({ id: text, matchers: alertMatchers, until: time, reason: text, by: text }),
    },
    undelivered: { type: 'array', items: { $ref: '#/components/schemas/AlertAnswer' } },
  }),
  AlertLine: object(
    {
      alert: text,
      severity: aSeverity,
      key: text,
      agent: text,
      task: text,
      owner: text,
      summary: text,
      value: { type: 'number' },
      fired_at: time,
      acknowledged_by: textOrNull,
      silenced_until: { type: ['string', 'null'], format: 'date-time' },
      resolved_at: time,
    },
    ['resolved_at'],
  ),
  AlertAnswer: object(
    {
      channel: text,
      alert: text,
      key: text,
      attempts: { type: 'integer' },
      state: { enum: ['waiting', 'delivered', 'failed'] },
      answer: text,
    },
    ['alert', 'key', 'attempts'],
  ),
} as const;
