// What an alert is: one file of alerts/, a question with its query, its limit, how long, how bad, and what to do. Read at
// start; a mistake names the file and the key, and the collector does not start with it.

import { parseDocument } from 'yaml';
import { z } from 'zod';
import { readDuration } from '../../contract/config/units.ts';

/** What no query can know, because it is not in the store: the ledger's accounts, the letters that wait, who is away, the log. */
export const FIGURES = [
  'budgets',
  'shared_budgets',
  'own_budgets',
  'parts_away',
  'own_queue',
  'own_refusals',
  'set_aside',
  'sums_in_doubt',
  'dead_letters',
  'own_log',
  'anchors',
  'halted_retention',
] as const;
export type FigureName = (typeof FIGURES)[number];

export const UNITS = ['dollars', 'ratio', 'seconds', 'count', 'times'] as const;
export type Unit = (typeof UNITS)[number];

const duration = z.string().transform((text, context) => {
  const read = readDuration(text);
  if ('value' in read) return read.value;
  context.issues.push({ code: 'custom', message: read.mistake, input: text });
  return z.NEVER;
});

const prometheus = z.strictObject({
  expr: z.string(),
  for: z.string().default('0s'),
  tests: z
    .array(
      z.strictObject({
        name: z.string(),
        series: z.record(z.string(), z.string()),
        at: z.string(),
        fires: z.array(z.strictObject({ labels: z.record(z.string(), z.string()), value: z.string() })),
      }),
    )
    .refine((tests) => tests.some(({ fires }) => fires.length > 0), 'has no test in which it fires')
    .refine((tests) => tests.some(({ fires }) => fires.length === 0), 'has no test in which it stays quiet'),
});

const alert = z
  .strictObject({
    severity: z.enum(['critical', 'warning']),
    question: z.string().endsWith('?'),
    /** `{column}` is put in from the row; `{value}` in its unit. */
    summary: z.string(),
    unit: z.enum(UNITS),
    /** Rows with key, value and what else is known: agent, task, owner, and columns of its own. */
    sql: z.string().optional(),
    figure: z.enum(FIGURES).optional(),
    /** How far `{since}` lies back; `{history}` for what is compared with. */
    window: duration.default(0),
    history: duration.default(0),
    /** How often it is asked, where every round would cost too much. */
    every: duration.default(0),
    threshold: z.number(),
    /** Reaching the threshold is enough; else it must be passed. */
    at_least: z.boolean().default(false),
    /** Instead of the threshold: the agent's own task budget; times the agent's expected task. */
    threshold_from: z.enum(['task_budget', 'expected_task']).optional(),
    /** Several thresholds, each an alert of its own. */
    steps: z.array(z.number()).optional(),
    /** How long it must be so before it fires, and how long over before it is resolved. */
    for: duration.default(0),
    keep: duration.default(0),
    /** While it fires and nobody has acknowledged it, it is said again so often. */
    repeat: duration.default(14_400_000),
    /** The same key within this time after it fired at full severity fires at another. */
    again: z.strictObject({ within: duration, severity: z.enum(['warning']) }).optional(),
    next: z.string(),
    prometheus,
  })
  .refine(({ sql, figure }) => sql !== undefined || figure !== undefined, {
    path: ['sql'],
    message: 'neither sql nor figure says what to look at',
  });

const digest = z.strictObject({
  severity: z.literal('info'),
  question: z.string().endsWith('?'),
  window: duration,
  at: z.string().regex(/^\d\d:\d\d$/),
  sections: z.array(z.strictObject({ title: z.string(), sql: z.string() })).min(1),
});

export type AlertDefinition = { readonly id: string } & Readonly<z.output<typeof alert>>;
export type DigestDefinition = { readonly id: string } & Readonly<z.output<typeof digest>>;
export type PrometheusRule = AlertDefinition['prometheus'];

export interface Definitions {
  readonly alerts: readonly AlertDefinition[];
  readonly digests: readonly DigestDefinition[];
}

export interface DefinitionFile {
  /** `alerts/error-rate.yaml`: its name without ending is the alert's id. */
  readonly file: string;
  readonly text: string;
}

/** Every mistake of every file, a line each. */
export class DefinitionsBroken extends Error {
  override name = 'DefinitionsBroken';
}

/** Throws DefinitionsBroken. */
export function parseDefinitions(files: readonly DefinitionFile[]): Definitions {
  const mistakes: string[] = [];
  const alerts: AlertDefinition[] = [];
  const digests: DigestDefinition[] = [];
  for (const { file, text } of files) {
    const id = /([a-z0-9-]+)\.yaml$/.exec(file)?.[1] ?? file;
    const value = yamlOf(file, text, mistakes);
    if (value === undefined) continue;
    if (isDigest(value)) {
      const read = checked(digest, value, file, mistakes);
      if (read) digests.push({ id, ...read });
    } else {
      const read = checked(alert, value, file, mistakes);
      if (read) alerts.push({ id, ...read });
    }
  }
  if (mistakes.length > 0) throw new DefinitionsBroken(mistakes.join('\n'));
  return { alerts, digests };
}

function yamlOf(file: string, text: string, mistakes: string[]): unknown {
  const document = parseDocument(text, { uniqueKeys: true });
  for (const { message } of document.errors) mistakes.push(`${file}: ${message.split('\n')[0]}`);
  return document.errors.length > 0 ? undefined : document.toJS();
}

const isDigest = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'severity' in value && value.severity === 'info';

function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  file: string,
  mistakes: string[],
): z.output<Schema> | undefined {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  for (const { path, message } of error.issues)
    mistakes.push(`${file}: ${path.join('.') || 'the file'}: ${message}`);
  return undefined;
}
