// Pinned definitions of tools.

import { body, listOf, object, ok, text, time } from './pieces.ts';

const sighting = { upstream: text, tool: text, digest: text };
const line = { $ref: '#/components/schemas/ToolLine' };

export const toolPaths = {
  '/v1/tools': {
    get: {
      summary: 'Which definition of each tool holds, and which were seen to change',
      responses: ok('The tools', listOf('ToolLine')),
    },
    post: {
      summary: 'Say which definitions an agent was shown',
      requestBody: body(object({ agent: text, tools: { type: 'array', items: object(sighting) } })),
      responses: ok('The lines of these tools', listOf('ToolLine')),
    },
  },
  '/v1/tools/accept': {
    post: {
      summary: 'Take the definition seen last for the one that holds',
      requestBody: body(object({ upstream: text, tool: text })),
      responses: ok('As it holds now', line),
    },
  },
} as const;

export const toolSchemas = {
  ToolLine: object({
    ...sighting,
    state: { enum: ['pinned', 'changed'] },
    seen_digest: { type: ['string', 'null'] },
    since: time,
    accepted_by: text,
  }),
} as const;
