// The one definition of outrider.yaml. The parser validates with it, and contract/outrider.schema.json is generated from
// it. It knows shapes and units; names that refer to each other, and rules, are read in resolve.ts. What only the collector
// reads stands in schema-collector.ts.

import { z } from 'zod';
import { DIALECTS, MODES } from '../attributes.ts';
import { CAPTURES } from './config.ts';
import { collectorSections } from './schema-collector.ts';
import {
  agentName,
  budgets,
  dollars,
  duration,
  exact,
  header,
  name,
  percent,
  positiveDuration,
  requestRate,
  secret,
  size,
  taskBudgets,
  timezone,
  tokenRate,
  upstreamUrl,
  wholeNumber,
} from './schema-values.ts';

const mode = z.enum(MODES).meta({ description: 'enforce refuses; observe records what it would have done.' });
const rules = (description: string) => z.array(z.string()).meta({ description });
/** `none` switches it off. */
const orNone = <Type extends z.ZodType>(type: Type) => z.union([z.literal('none'), type]);
const share = z.number().gt(0, { error: 'must be more than 0' }).max(1, { error: 'must be at most 1' });
const capture = z
  .strictObject({ bodies: z.enum(CAPTURES).optional().meta({ default: 'hash' }) })
  .meta({ description: 'What is kept of bodies; redacted and full keep those of dead letters alone.' });

const rates = {
  requests: requestRate({ description: 'Most calls in a time.' }).optional(),
  tokens: tokenRate({ description: 'Most tokens in a time, read and written.' }).optional(),
};
const limits = z.strictObject(rates).optional().meta({ description: 'What one sidecar lets through.' });

const timeouts = z
  .strictObject({
    connect: positiveDuration({ default: '5s' }).optional(),
    first_byte: positiveDuration({ default: '2m' }).optional(),
    idle: positiveDuration({ default: '2m' }).optional(),
    total: positiveDuration({ default: '30m' }).optional(),
  })
  .meta({ description: 'How long an upstream may take.' });

const upstream = z.strictObject({
  url: upstreamUrl({
    description:
      'Where calls go; http or https, without query; stdio for a tool server that `outrider mcp` starts.',
  }),
  speaks: z.enum(DIALECTS).meta({ description: 'The dialect: how calls are read, metered and refused.' }),
  credential: z.string().optional().meta({
    description: 'Name under `credentials:`; `agent` forwards what the agent sent; without it none is sent.',
  }),
  priced_as: z.string().optional().meta({ description: 'Provider whose price list applies.' }),
  timeout: positiveDuration({ description: 'Short for `timeouts: { total: … }`.' }).optional(),
  timeouts: timeouts.optional(),
  limits,
});

const credential = z.strictObject({
  from: secret({ description: 'Where the secret is: env:, file:, exec: or vault:.' }),
  header: header.optional().meta({ description: 'Header it goes into; else where the dialect wants it.' }),
});

const role = z.strictObject({
  mode: mode.optional(),
  allow: rules('What agents of the role may do.').optional(),
  notify: rules('What they may do while someone is told.').optional(),
  ask: rules('What a human must approve first.').optional(),
  deny: rules('What they may not do.').optional(),
  limits: z
    .strictObject({
      max_output_tokens: wholeNumber(1, 'Most output tokens of one call.').optional(),
      ...rates,
    })
    .optional(),
  fallback: z
    .array(z.string())
    .optional()
    .meta({ description: 'upstream/model to go to when the one asked for fails, in order.' }),
  capture: capture.optional(),
});

const agent = z.strictObject({
  role: z
    .union([z.string(), z.array(z.string())], { error: 'must be the name of a role, or a list of names' })
    .optional(),
  mode: mode.optional(),
  department: z.string().optional(),
  owner: z.string().optional(),
  version: z.union([z.string(), z.number()], { error: 'must be text' }).optional(),
  budgets: budgets.optional(),
  task_budgets: taskBudgets.optional(),
  limits,
  expected_task: positiveDuration({ description: 'How long a task takes as a rule.' }).optional(),
  key: secret({ description: "The agent's own key towards the sidecar." }).optional(),
  credentials: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'Upstream to credential: a key of its own.' }),
});

const owner = z.strictObject({
  pagerduty: secret().optional(),
  slack: secret().optional(),
  webhook: secret().optional(),
});

const price = z.union(
  [
    z.literal('free'),
    z.strictObject({
      input: exact('$ per million input tokens.').optional(),
      cached_input: exact('$ per million input tokens read from a cache.').optional(),
      cache_write: exact('$ per million input tokens written to a cache.').optional(),
      output: exact('$ per million output tokens.').optional(),
      call: exact('$ per call, such as $0.005.').optional(),
      max_output: wholeNumber(1, 'Most output tokens of one call.').optional(),
      context_window: wholeNumber(1, 'Most input tokens of one call.').optional(),
    }),
  ],
  { error: 'must be free, or a map such as { input: 1.25, output: 10 } or { call: $0.005 }' },
);

export const configSchema = z
  .strictObject({
    fleet: name
      .optional()
      .meta({ description: 'Name of the fleet; one collector serves one.', default: 'default' }),
    mode: mode.optional(),
    include: z
      .array(z.string())
      .optional()
      .meta({ description: 'Globs of files to merge, beside this one.' }),
    budgets: budgets.optional(),
    prohibited: rules('What nobody in the fleet may do; no role can allow it.').optional(),
    departments: z.record(name, z.strictObject({ budgets: budgets.optional() })).optional(),
    owners: z.record(name, owner).optional(),
    upstreams: z.record(name, upstream).optional(),
    credentials: z.record(name, credential).optional(),
    roles: z.record(name, role).optional(),
    agents: z
      .record(agentName, agent)
      .optional()
      .meta({ description: 'Keys may hold * for names made at run time.' }),
    breakers: z
      .strictObject({
        window: positiveDuration({ default: '10m' }).optional(),
        failure_rate: share.optional().meta({ default: 0.5 }),
        min_calls: wholeNumber(1, 'Fewer calls never open a circuit.').optional().meta({ default: 20 }),
        cooldown: positiveDuration({ default: '30s' }).optional(),
        cooldown_max: positiveDuration({ default: '10m' }).optional(),
        trials: wholeNumber(1, 'Calls let through before a circuit closes.').optional().meta({ default: 3 }),
        slow: z
          .strictObject({
            first_token: positiveDuration({ description: 'A stream that says nothing for longer is slow.' }),
            rate: share.optional().meta({ description: 'Of the calls of the window; half without it.' }),
          })
          .optional()
          .meta({ description: 'Opens a circuit for slow streams too; without it none is slow.' }),
      })
      .optional(),
    quarantine: z
      .strictObject({
        degraded: z
          .enum(['flag', 'quarantine'])
          .optional()
          .meta({ description: 'What becomes of an agent that degrades.', default: 'flag' }),
        for: positiveDuration({
          description: 'How long a rule holds an agent apart.',
          default: '1h',
        }).optional(),
        window: positiveDuration({ default: '5m' }).optional(),
        failure_rate: orNone(share)
          .optional()
          .meta({ description: "Of its calls, where others' do not fail.", default: 0.5 }),
        min_calls: wholeNumber(1, 'Fewer calls say nothing of failures.').optional().meta({ default: 20 }),
        same_calls: orNone(wholeNumber(2, 'The very same call so often is a loop.'))
          .optional()
          .meta({ default: 20 }),
        tokens: tokenRate({ description: 'More is a runaway, whatever is normal.' }).optional(),
        tokens_times: orNone(z.number().gt(1, { error: 'must be more than 1' }))
          .optional()
          .meta({ description: "Times the agent's own normal.", default: 10 }),
      })
      .optional()
      .meta({ description: 'When an agent degrades: flagged, or held apart for a while.' }),
    money: z
      .strictObject({
        grace: percent({ description: 'Kept back for running tasks.', default: '0%' }).optional(),
        hold_wait: duration({ description: 'Longest wait for holds in flight.', default: '2s' }).optional(),
        offline: dollars({ description: 'What may be spent without a collector.', default: '$0' }).optional(),
        unknown_price: z.enum(['refuse', 'pass']).optional().meta({ default: 'refuse' }),
        lease: positiveDuration({ default: '15m' }).optional(),
      })
      .optional(),
    retries: z
      .union(
        [
          z.literal('none'),
          z.strictObject({
            wait: duration({
              description: 'Longest a call is held back before it is tried again.',
              default: '5s',
            }).optional(),
          }),
        ],
        { error: 'must be none, or a map such as { wait: 5s }' },
      )
      .optional()
      .meta({ description: 'What becomes of a call that failed in a way that may pass.' }),
    timeouts: timeouts.optional(),
    limits: z
      .strictObject({
        body: size({ default: '32MB' }).optional(),
        bodies_in_flight: size({ default: '256MB' }).optional(),
      })
      .optional(),
    journal: z
      .strictObject({
        durability: z.enum(['batched', 'strict']).optional().meta({ default: 'batched' }),
        size: size({ default: '4GB' }).optional(),
      })
      .optional(),
    drain: duration({ description: 'How long running calls get at a stop.', default: '30s' }).optional(),
    prices: z
      .record(z.string(), price)
      .optional()
      .meta({ description: 'upstream/model (may end in *) or upstream; only what the price library lacks.' }),
    capture: capture.optional(),
    ...collectorSections,
    timezone: timezone.optional().meta({ description: 'Of the budget windows.', default: 'UTC' }),
  })
  .meta({ title: 'outrider.yaml', description: 'Configuration of an Outrider fleet.' });

/** A file whose shapes and units are right; every default still open. */
export type FileConfig = z.output<typeof configSchema>;
