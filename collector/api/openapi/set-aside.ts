// What the store could not take, and having it taken after all.

import { body, json, listOf, object, ok, text, textOrNull, time } from './pieces.ts';

export const setAsidePaths = {
  '/v1/store/quarantine': {
    get: {
      summary: 'Messages that the store could not take, and damage, oldest first; at most 1,000',
      responses: ok('They lie beside the queue', listOf('SetAside')),
    },
  },
  '/v1/store/quarantine/load': {
    post: {
      summary: 'Load messages again that were set aside; each lands once',
      requestBody: body(object({ ids: { type: 'array', minItems: 1, maxItems: 1_000, items: text } })),
      responses: {
        202: {
          description: 'They wait to be loaded, and leave the list when they are',
          content: json(object({ waiting: { type: 'array', items: object({ id: text, comes_as: text }) } })),
        },
        404: { description: 'No message of one of these ids lies there; none was loaded' },
        503: { description: 'The queue has no room' },
      },
    },
  },
} as const;

export const setAsideSchemas = {
  SetAside: object({
    id: text,
    kind: { enum: ['message', 'damage', 'unread'] },
    signal: { enum: ['traces', 'logs', 'metrics'] },
    bytes: { type: 'integer', minimum: 0 },
    sender: textOrNull,
    received_at: textOrNull,
    set_aside_at: time,
    reason: text,
    comes_as: textOrNull,
  }),
} as const;
