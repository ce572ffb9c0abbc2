// The log of what was accepted, and proofs from it.

import { inPath, json, object, ok, optional, query, text } from './pieces.ts';

const plain = (description: string) => ({
  200: { description, content: { 'text/plain': { schema: text } } },
});
const lines = (description: string) => ({
  200: { description, content: { 'application/x-ndjson': { schema: text } } },
});
const size = { type: 'integer' };
const anchor = object({ name: text, leaves: size, failing_ms: size, reason: text });
const status = object({
  log: text,
  leaves: size,
  minimum_index: size,
  signed_at: text,
  waiting: size,
  behind_ms: size,
  anchors: { type: 'array', items: anchor },
});
const note = object({ size, note: text });
const settled = object({ size, note: text, minimum_index: size });

export const auditPaths = {
  '/v1/audit/checkpoint': {
    get: {
      summary: 'The newest checkpoint of the log, a signed note',
      responses: plain('C2SP tlog-checkpoint'),
    },
  },
  '/v1/audit/checkpoints': {
    get: {
      summary: 'The last checkpoint of each hour',
      responses: ok('Oldest first', { type: 'array', items: note }),
    },
  },
  '/v1/audit/status': {
    get: {
      summary: 'How far the log is, and how far each place outside that keeps its checkpoints',
      responses: ok('Now', status),
    },
  },
  '/v1/audit/key': {
    get: {
      summary: 'The keys that verify it, one a line',
      responses: plain('C2SP signed-note verifier keys'),
    },
  },
  '/v1/audit/tile/*': {
    get: {
      summary: 'A tile of hashes or a bundle of entries, named as in C2SP tlog-tiles',
      responses: {
        200: { description: 'Its bytes', content: { 'application/octet-stream': { schema: text } } },
        404: { description: 'There is none' },
      },
    },
  },
  '/v1/audit/logs': {
    get: {
      summary: 'The logs before the one in use, each with its last checkpoint',
      responses: ok('Oldest first', {
        type: 'array',
        items: object({ name: text, size, note: text, minimum_index: size }),
      }),
    },
  },
  '/v1/audit/logs/{name}/tile/*': {
    get: {
      summary: 'A tile or bundle of one of them',
      parameters: [inPath('name')],
      responses: {
        200: { description: 'Its bytes', content: { 'application/octet-stream': { schema: text } } },
        404: { description: 'There is none' },
      },
    },
  },
  '/v1/audit/proof': {
    get: {
      summary: 'That a request is in the log, by the receipt its sender was answered',
      parameters: [query('digest'), optional('at')],
      responses: { ...plain('C2SP tlog-proof'), 404: { description: 'Not found' } },
    },
  },
  '/v1/audit/consistency': {
    get: {
      summary: 'That the log of `to` leaves begins with the one of `from`',
      parameters: [query('from'), optional('to')],
      responses: ok('The hashes', object({ from: size, to: size, hashes: { type: 'array', items: text } })),
    },
  },
  '/v1/audit/settled': {
    post: {
      summary:
        'Wait until everything accepted is under a checkpoint and in the store, as an export does first',
      responses: {
        200: { description: 'That checkpoint, and what is kept of its log', content: json(settled) },
      },
    },
  },
  '/v1/audit/actions': {
    get: {
      summary: 'Hours that have rows of actions',
      parameters: [optional('since'), optional('until')],
      responses: ok('Hours', { type: 'array', items: object({ hour: text, rows: size }) }),
    },
  },
  '/v1/audit/actions/{hour}': {
    get: {
      summary: 'All rows of actions of one hour, every number as a string; an empty line ends them',
      parameters: [inPath('hour')],
      responses: lines('A row a line'),
    },
  },
  '/v1/audit/control-events': {
    get: {
      summary: 'All control events, in their order; an empty line ends them',
      responses: lines('An event a line'),
    },
  },
} as const;
