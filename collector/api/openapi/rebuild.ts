// Counted tables made anew.

import { REBUILDABLE } from '../../../contract/rebuild.ts';
import { body, json, object, ok, text } from './pieces.ts';

const tables = { type: 'array', items: { enum: REBUILDABLE } };

export const rebuildPaths = {
  '/v1/store/rebuild': {
    get: {
      summary: 'Which counted tables are still to be made anew',
      responses: ok('How far it is', { $ref: '#/components/schemas/RebuildState' }),
    },
    post: {
      summary: 'Make counted tables anew from what they are counted from',
      requestBody: body(object({ tables })),
      responses: {
        202: { description: 'Begun', content: json({ $ref: '#/components/schemas/RebuildState' }) },
      },
    },
  },
} as const;

export const rebuildSchemas = {
  RebuildState: object({ left: tables, in_doubt: tables, failure: text }),
} as const;
