// The control API described for programs (OpenAPI 3.1), by hand and short; a test holds it to the routes that exist.

import { MATCHABLE, SEVERITIES } from '../../contract/alert.ts';
import { BACKUP_STEPS } from '../../contract/backup.ts';
import { RANGES } from '../../contract/console.ts';

const amounts = {
  type: 'object',
  required: ['nanodollars', 'tokens'],
  properties: {
    nanodollars: { $ref: '#/components/schemas/WholeNumber' },
    tokens: { $ref: '#/components/schemas/WholeNumber' },
  },
};
const text = { type: 'string' };
const whole = { $ref: '#/components/schemas/WholeNumber' };
const json = (schema: object) => ({ 'application/json': { schema } });
const ok = (description: string, schema: object) => ({ 200: { description, content: json(schema) } });
const listOf = (name: string) => ({ type: 'array', items: { $ref: `#/components/schemas/${name}` } });
const object = (properties: Record<string, object>, optional: readonly string[] = []) => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
const body = (schema: object) => ({ required: true, content: json(schema) });
const query = (name: string) => ({ name, in: 'query', required: true, schema: text });
const textOrNull = { type: ['string', 'null'] };
const time = { type: 'string', format: 'date-time' };
const aSeverity = { enum: SEVERITIES };
const alertMatchers = {
  type: 'object',
  minProperties: 1,
  properties: Object.fromEntries(MATCHABLE.map((name) => [name, text])),
};
const optional = (name: string, schema: object = text) => ({ name, in: 'query', required: false, schema });
const inPath = (name: string) => ({ name, in: 'path', required: true, schema: text });
const range = optional('range', { enum: Object.keys(RANGES), default: '24h' });
const open = { security: [] };
const aMode = { enum: ['observe', 'enforce'] };
const milliseconds = { type: ['integer', 'null'], minimum: 1 };
const modeInForce = { anyOf: [{ type: 'null' }, object({ mode: aMode, ms_left: milliseconds })] };

export const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Outrider control API',
    version: '1',
    description:
      'Amounts are whole nanodollars or tokens as decimal strings. Failures are {"error":{"code","message"}}.',
  },
  security: [{ joinToken: [] }, { session: [] }],
  paths: {
    '/v1/leases': {
      post: {
        summary: 'Draw, renew, report on or give back slices of the budgets on an agent’s path',
        requestBody: body(object({ agent: text, instance: text, asks: listOf('LeaseAsk') })),
        responses: ok('Answers in the order of the asks', object({ answers: listOf('LeaseAnswer') })),
      },
    },
    '/v1/budgets': {
      get: {
        summary: 'One line per budget in its window of now',
        responses: ok('The budgets', listOf('BudgetLine')),
      },
    },
    '/v1/budgets/write-off': {
      post: {
        summary: 'Post every expired slice that its instance never settled, in full',
        responses: ok('What was posted', object({ written_off: listOf('WrittenOff') })),
      },
    },
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
          }),
        ),
        responses: ok(
          'Heard: where spans are taken, and the mode in force unless it is the config’s',
          object({ otlp_port: { type: 'integer' }, mode: modeInForce }),
        ),
      },
    },
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
        parameters: [{ name: 'agent', in: 'path', required: true, schema: text }],
        responses: ok('Restored', { type: 'object' }),
      },
    },
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
        parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
        responses: ok('Ended', { type: 'object' }),
      },
    },
    '/v1/store/backup': {
      get: {
        summary: 'The backup that is being made, or was made last',
        responses: ok('How far it is', { $ref: '#/components/schemas/BackupState' }),
      },
      post: {
        summary: 'Begin a backup of store and control state, in the collector’s own data directory',
        responses: {
          202: { description: 'Begun', content: json({ $ref: '#/components/schemas/BackupState' }) },
          409: { description: 'Another is being made' },
        },
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
        parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
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
    '/v1/agents/{name}': {
      get: {
        summary: 'One agent: its sums, models, upstreams, refusals and tasks',
        parameters: [inPath('name'), range],
        responses: ok('AgentAnswer of contract/console.ts', { type: 'object' }),
      },
    },
    '/v1/fleet': {
      get: {
        summary: 'What the fleet does, costs and was refused, and who waits for a person',
        parameters: [range],
        responses: ok('FleetAnswer of contract/console.ts', { type: 'object' }),
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
        ...open,
        summary: 'Turns the code of a link into a session’s cookie, once',
        parameters: [query('code')],
        responses: { 303: { description: 'To the console' } },
      },
    },
    '/v1/openapi.json': { get: { summary: 'This page', responses: ok('OpenAPI', { type: 'object' }) } },
    '/healthz': {
      get: { ...open, summary: 'The process answers', responses: { 200: { description: 'It does' } } },
    },
    '/readyz': {
      get: {
        ...open,
        summary: 'Everything is there',
        responses: { 200: { description: 'Ready' }, 503: { description: 'What is missing' } },
      },
    },
    '/metrics': {
      get: { ...open, summary: 'For Prometheus', responses: { 200: { description: 'Text format' } } },
    },
  },
  components: {
    securitySchemes: {
      joinToken: { type: 'http', scheme: 'bearer' },
      // The cookie's name ends in the port under which the collector was called.
      session: { type: 'apiKey', in: 'cookie', name: 'outrider-4319' },
    },
    schemas: {
      WholeNumber: { type: 'string', pattern: '^\\d{1,24}$' },
      LeaseAsk: object(
        {
          scope: { enum: ['agent', 'offline', 'task'] },
          task: text,
          lease: { type: ['string', 'null'] },
          nonce: text,
          seq: { type: 'integer', minimum: 0 },
          granted: amounts,
          posted: amounts,
          held: amounts,
          want: amounts,
          need: amounts,
          release: { type: 'boolean' },
          close: { type: 'boolean' },
        },
        ['task', 'nonce', 'release', 'close'],
      ),
      LeaseAnswer: object(
        {
          scope: { enum: ['agent', 'offline', 'task'] },
          task: text,
          outcome: { enum: ['granted', 'over_budget', 'held', 'stale'] },
          lease: { type: ['string', 'null'] },
          epoch: { type: 'integer' },
          granted: object({
            nanodollars: { type: ['string', 'null'] },
            tokens: { type: ['string', 'null'] },
          }),
          ttlMs: { type: 'number' },
          obstacle: { type: 'object' },
        },
        ['task', 'obstacle'],
      ),
      BudgetLine: object({
        level: { enum: ['fleet', 'department', 'agent', 'task'] },
        name: text,
        window: text,
        unit: { enum: ['nanodollars', 'tokens'] },
        limit: whole,
        posted: whole,
        held: whole,
        resets_at: { type: ['string', 'null'], format: 'date-time' },
      }),
      AgentLine: object({
        name: text,
        instance: text,
        mode: text,
        last_seen: { type: 'string', format: 'date-time' },
        health: { enum: ['ok', 'degraded', 'away'] },
        policy: text,
      }),
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
      ModeLine: object({
        agent: text,
        mode: aMode,
        configured: { enum: ['observe', 'enforce', null] },
        since: { type: 'string', format: 'date-time' },
        until: { type: ['string', 'null'], format: 'date-time' },
        actor: text,
        reason: text,
      }),
      BackupState: object({
        id: text,
        step: { enum: BACKUP_STEPS },
        bytes: { type: 'integer' },
        bytes_total: { type: 'integer' },
        path: text,
        failure: text,
      }),
      WrittenOff: object({ lease: text, agent: text, instance: text, unit: text, amount: whole }),
    },
  },
} as const;
