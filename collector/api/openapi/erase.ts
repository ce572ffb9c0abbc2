// What was said, taken back.

import { body, object, ok, text } from './pieces.ts';

const hashes = { type: 'array', items: text };

export const erasurePaths = {
  '/v1/store/erase': {
    post: {
      summary: 'Erase what was said, by the hashes that spans name or by a call’s id',
      requestBody: body(object({ hashes, call: text, reason: text })),
      responses: {
        ...ok('Gone', object({ erased: hashes })),
        404: { description: 'Nothing of it is kept' },
      },
    },
  },
} as const;
