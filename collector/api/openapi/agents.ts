// Instances, what they report and what they are told.

import { aMode, body, inPath, listOf, milliseconds, object, ok, query, text, time } from './pieces.ts';

const modeInForce = { anyOf: [{ type: 'null' }, object({ mode: aMode, ms_left: milliseconds })] };

export const agentPaths = {
  '/v1/agents': {
    get: {
      summary: 'Every instance that was heard of',
      responses: ok('The instances', listOf('AgentLine')),
    },
    post: {
      summary: 'An instance lives',
      requestBody: body(
        object({
          name: text,
          instance: text,
          mode: text,
          health: { enum: ['ok', 'degraded'] },
          policy: text,
          stream: text,
          began: object({ after: text, seq: { type: 'integer' }, damagedBytes: { type: 'integer' } }),
        }),
      ),
      responses: ok(
        'Heard: where spans are taken, and the mode in force unless it is the config’s',
        object({
          otlp_port: { type: 'integer' },
          mode: modeInForce,
          tools: { type: 'integer' },
          quarantine: { type: 'integer' },
          leave_stream: { type: 'boolean' },
        }),
      ),
    },
  },
  '/v1/policy': {
    post: {
      summary: 'An instance put a policy in force; `sources` are what the digest is computed over',
      requestBody: body(
        object({
          digest: text,
          agent: text,
          instance: text,
          loaded_at: { type: 'integer' },
          by: text,
          sources: { type: 'array', items: object({ file: text, text }) },
        }),
      ),
      responses: ok('Kept', { type: 'object' }),
    },
  },
  '/v1/tasks/{id}': {
    post: {
      summary: 'A task is done or has failed',
      parameters: [inPath('id')],
      requestBody: body(
        object(
          {
            agent: text,
            state: { enum: ['done', 'failed'] },
            output_units: { type: 'integer', minimum: 0 },
          },
          ['output_units'],
        ),
      ),
      responses: ok('Ended', { type: 'object' }),
    },
  },
  '/v1/events': {
    get: {
      summary: 'Recalls for one instance, and its agent’s mode: server-sent events `recall` and `mode`',
      parameters: [query('agent'), query('instance')],
      responses: { 200: { description: 'A stream', content: { 'text/event-stream': { schema: text } } } },
    },
  },
} as const;

export const agentSchemas = {
  AgentLine: object({
    name: text,
    instance: text,
    mode: text,
    last_seen: time,
    health: { enum: ['ok', 'degraded', 'away'] },
    policy: text,
  }),
} as const;
