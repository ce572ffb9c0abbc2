// Sessions of the console, and the way in.

import { inPath, object, ok, query, text, unguarded } from './pieces.ts';

export const sessionPaths = {
  '/v1/sessions': {
    get: {
      summary: 'The console sessions in force',
      responses: ok('The sessions', {
        type: 'array',
        items: object({ id: text, opened_by: text, opened_at: text, expires_at: text }),
      }),
    },
    post: {
      summary: 'A link that opens one console session within ten minutes; takes a join token',
      responses: ok(
        'The link, on the host where this API was found',
        object({ path: text, expires_at: text }),
      ),
    },
  },
  '/v1/sessions/{id}': {
    delete: {
      summary: 'End a session; `current` is the one that asks',
      parameters: [inPath('id')],
      responses: ok('Ended', { type: 'object' }),
    },
  },
  '/login': {
    get: {
      ...unguarded,
      summary: 'Turns the code of a link into a session’s cookie, once',
      parameters: [query('code')],
      responses: { 303: { description: 'To the console' } },
    },
  },
} as const;
