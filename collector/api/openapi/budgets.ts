// Budgets and the leases on them.

import { body, inPath, listOf, object, ok, optional, text, textOrNull, time, whole } from './pieces.ts';

const level = { enum: ['fleet', 'department', 'agent', 'task'] };
const timeOrNull = { type: ['string', 'null'], format: 'date-time' };
const unit = { enum: ['nanodollars', 'tokens'] };

const amounts = {
  type: 'object',
  required: ['nanodollars', 'tokens'],
  properties: {
    nanodollars: { $ref: '#/components/schemas/WholeNumber' },
    tokens: { $ref: '#/components/schemas/WholeNumber' },
  },
};

export const budgetPaths = {
  '/v1/leases': {
    post: {
      summary: 'Draw, renew, report on or give back slices of the budgets on an agent’s path',
      requestBody: body(object({ agent: text, instance: text, asks: listOf('LeaseAsk') })),
      responses: ok('Answers in the order of the asks', object({ answers: listOf('LeaseAnswer') })),
    },
  },
  '/v1/holds': {
    post: {
      summary:
        'Hold money for one call, at every level or at none; an id of your own makes it safe to repeat',
      requestBody: body(
        object({ id: text, agent: text, task: text, amounts, ttl_ms: { type: 'integer', minimum: 1 } }, [
          'task',
        ]),
      ),
      responses: {
        ...ok('Held', { $ref: '#/components/schemas/HoldLine' }),
        402: { description: 'over_budget: the obstacle, and whether asking again may help' },
        409: { description: 'id_conflict: the id is of another hold' },
      },
    },
  },
  '/v1/holds/{id}': {
    post: {
      summary: 'Settle a hold, once; correct it afterwards',
      parameters: [inPath('id')],
      requestBody: body({
        oneOf: [
          object({ post: amounts }),
          object({ release: { const: true } }),
          object({ correct: amounts, reason: text }),
        ],
      }),
      responses: {
        ...ok('The hold as it stands', { $ref: '#/components/schemas/HoldLine' }),
        404: { description: 'unknown_hold' },
        409: { description: 'already_settled: the hold as it stands' },
      },
    },
  },
  '/v1/budgets': {
    get: {
      summary: 'One line per budget in its window of now',
      responses: ok('The budgets', listOf('BudgetLine')),
    },
  },
  '/v1/budgets/entries': {
    get: {
      summary: 'The ledger’s entries, the newest first: what moved, and why',
      parameters: [
        optional('agent'),
        { ...optional('account'), description: 'level/name, as agent/trend-scout' },
        optional('lease'),
        optional('limit', { type: 'integer', minimum: 1, maximum: 1000, default: 100 }),
      ],
      responses: ok('The entries', listOf('LedgerEntry')),
    },
  },
  '/v1/budgets/late': {
    get: {
      summary: 'Leases that were heard of after they had expired or ended, the latest first',
      responses: ok('The leases, one line per unit', listOf('LateLease')),
    },
  },
  '/v1/budgets/check': {
    get: {
      summary: 'Recompute every account from the entries and the slices; reads the whole book',
      responses: ok('What does not add up', object({ problems: { type: 'array', items: text } })),
    },
  },
  '/v1/budgets/learn': {
    post: {
      summary: 'The ledger was restored: grant nothing until leases of before have expired',
      requestBody: body(object({ reason: text })),
      responses: ok('Until when', object({ until: time })),
    },
  },
  '/v1/budgets/learned': {
    post: {
      summary: 'Grant again before that',
      requestBody: body(object({ reason: text })),
      responses: ok('Done', { type: 'object' }),
    },
  },
  '/v1/budgets/write-off': {
    post: {
      summary:
        'Post expired slices that their instances never settled, in full: of a lease, of an agent, or all',
      requestBody: body(
        object({ lease: text, agent: text, reason: text, dry_run: { type: 'boolean' } }, [
          'lease',
          'agent',
          'dry_run',
        ]),
      ),
      responses: ok('What was posted, or would be', object({ written_off: listOf('WrittenOff') })),
    },
  },
  '/v1/budgets/waiting': {
    get: {
      summary: 'Which tasks wait for money, as their sidecars last said',
      responses: ok('The tasks', listOf('WaitingLine')),
    },
  },
  '/v1/budgets/raise': {
    post: {
      summary: 'Let one budget have more for a while',
      requestBody: body(
        object({
          level,
          name: textOrNull,
          unit,
          window: textOrNull,
          amount: whole,
          for_ms: { type: 'integer', minimum: 1 },
          reason: text,
        }),
      ),
      responses: ok('In force', { $ref: '#/components/schemas/RaiseLine' }),
    },
  },
  '/v1/budgets/raises': {
    get: {
      summary: 'Every raise in force',
      responses: ok('The raises', listOf('RaiseLine')),
    },
  },
  '/v1/budgets/raises/{id}': {
    delete: {
      summary: 'End a raise before its time',
      parameters: [inPath('id')],
      responses: ok('Ended', { type: 'object' }),
    },
  },
} as const;

export const budgetSchemas = {
  WholeNumber: { type: 'string', pattern: '^\\d{1,24}$' },
  LeaseAsk: object(
    {
      scope: { enum: ['agent', 'offline', 'task'] },
      task: text,
      lease: textOrNull,
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
      lease: textOrNull,
      epoch: { type: 'integer' },
      granted: object({
        nanodollars: textOrNull,
        tokens: textOrNull,
      }),
      ttlMs: { type: 'number' },
      obstacle: { type: 'object' },
      share: object({ nanodollars: textOrNull, tokens: textOrNull }),
    },
    ['task', 'obstacle', 'share'],
  ),
  BudgetLine: object({
    level,
    name: text,
    window: text,
    unit,
    limit: whole,
    raised: whole,
    posted: whole,
    held: whole,
    starts_at: timeOrNull,
    resets_at: timeOrNull,
    projected: textOrNull,
    projected_by_last_hour: textOrNull,
    used_up_at: timeOrNull,
  }),
  WaitingLine: object({
    agent: text,
    instance: text,
    task: text,
    why: { enum: ['held', 'spent', 'grace'] },
    calls: { type: 'integer', minimum: 1 },
    level: { enum: ['fleet', 'department', 'agent', 'task', null] },
    name: text,
    window: text,
    since: time,
    until: timeOrNull,
  }),
  RaiseLine: object({
    id: text,
    level,
    name: text,
    unit,
    window: text,
    amount: whole,
    since: time,
    until: time,
    actor: text,
    reason: text,
  }),
  HoldLine: object({
    id: text,
    agent: text,
    task: textOrNull,
    state: { enum: ['held', 'posted', 'released', 'expired'] },
    held: amounts,
    posted: amounts,
    opened_at: time,
    expires_at: time,
    settled_at: timeOrNull,
  }),
  WrittenOff: object({
    lease: text,
    agent: text,
    instance: text,
    unit: text,
    amount: whole,
    expired_at: time,
  }),
  LedgerEntry: object({
    id: text,
    at: time,
    kind: text,
    lease: text,
    agent: text,
    instance: text,
    unit: { enum: ['nanodollars', 'tokens', ''] },
    granted: text,
    posted: text,
    accounts: text,
    why: text,
  }),
  LateLease: object({
    lease: text,
    agent: text,
    instance: text,
    scope: text,
    state: { enum: ['open', 'closed', 'written_off'] },
    expired_at: time,
    late_at: time,
    unit: text,
    posted: whole,
    written_off: whole,
    corrected: text,
  }),
} as const;
