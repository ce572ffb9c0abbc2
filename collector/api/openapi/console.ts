// What the console asks; the answers are typed in contract/console.ts.

import { RANGES } from '../../../contract/console.ts';
import { inPath, ok, optional, text } from './pieces.ts';

const range = optional('range', { enum: Object.keys(RANGES), default: '24h' });

export const consolePaths = {
  '/v1/fleet': {
    get: {
      summary: 'What the fleet does, costs and was refused, and who waits for a person',
      parameters: [range],
      responses: ok('FleetAnswer of contract/console.ts', { type: 'object' }),
    },
  },
  '/v1/agents/{name}': {
    get: {
      summary: 'One agent: its sums, models, upstreams, refusals and tasks',
      parameters: [inPath('name'), range],
      responses: ok('AgentAnswer of contract/console.ts', { type: 'object' }),
    },
  },
  '/v1/calls': {
    get: {
      summary: 'Calls, newest first; `next` of an answer is `after` of the next question',
      parameters: [
        range,
        ...['agent', 'status', 'refusal', 'task', 'text', 'after'].map((name) => optional(name)),
        optional('limit', { type: 'integer', minimum: 1, maximum: 200, default: 100 }),
      ],
      responses: ok('CallsAnswer of contract/console.ts', { type: 'object' }),
    },
  },
  '/v1/live': {
    get: {
      summary: 'Calls as they end, as server-sent events named `calls`, and a `beat` every 5 s',
      responses: { 200: { description: 'A stream', content: { 'text/event-stream': { schema: text } } } },
    },
  },
  '/v1/traces/{id}': {
    get: {
      summary: 'Every span and call of one trace',
      parameters: [inPath('id')],
      responses: ok('TraceAnswer of contract/console.ts', { type: 'object' }),
    },
  },
} as const;
