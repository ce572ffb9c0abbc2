// Modes put in force for a while.

import { aMode, body, inPath, listOf, milliseconds, object, ok, text, time } from './pieces.ts';

export const modePaths = {
  '/v1/modes': {
    get: {
      summary: 'Every mode put in force for a while',
      responses: ok('The modes', listOf('ModeLine')),
    },
    post: {
      summary: 'Put a mode in force for an agent, or for all agents of an entry with *',
      requestBody: body(object({ agent: text, mode: aMode, for_ms: milliseconds, reason: text })),
      responses: ok('In force', { $ref: '#/components/schemas/ModeLine' }),
    },
  },
  '/v1/modes/{agent}': {
    delete: {
      summary: 'Restore the mode that the config says',
      parameters: [inPath('agent')],
      responses: ok('Restored', { type: 'object' }),
    },
  },
} as const;

export const modeSchemas = {
  ModeLine: object({
    agent: text,
    mode: aMode,
    configured: { enum: ['observe', 'enforce', null] },
    since: time,
    until: { type: ['string', 'null'], format: 'date-time' },
    actor: text,
    reason: text,
  }),
} as const;
