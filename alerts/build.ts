// Writes deploy/prometheus/ and the table of docs/alerts.md from the definitions beside it: `node alerts/build.ts`. A test
// holds the written files to this.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { type AlertDefinition, parseDefinitions } from '../collector/alerts/definition.ts';
import { shown } from '../collector/alerts/finding.ts';
import { readAlertFiles } from '../collector/edges/alert-files.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCS = 'docs/alerts.md';
const RULES = 'outrider.rules.yaml';
export const RULES_TESTS = ['outrider.rules.test.yaml', 'outrider.rules.long.test.yaml'] as const;

/** Path under the repository's root → text. */
export function builtFiles(): ReadonlyMap<string, string> {
  const { alerts } = parseDefinitions(readAlertFiles());
  return new Map([
    [`deploy/prometheus/${RULES}`, page('What the fleet is watched for', rulesOf(alerts))],
    [
      `deploy/prometheus/${RULES_TESTS[0]}`,
      page('When each rule fires, and when not', testsOf(alerts, '1m', isShort)),
    ],
    // minute by minute a day takes long
    [
      `deploy/prometheus/${RULES_TESTS[1]}`,
      page(
        'The same after a day',
        testsOf(alerts, '10m', (test) => !isShort(test)),
      ),
    ],
    [DOCS, docsWith(tableOf(alerts))],
  ]);
}

type RuleTest = AlertDefinition['prometheus']['tests'][number];
const isShort = ({ at }: RuleTest): boolean => Number.parseInt(at, 10) < 120;

const page = (what: string, content: object): string =>
  `# ${what}. Written by \`node alerts/build.ts\` from alerts/*.yaml: change it there.\n${stringify(content, { lineWidth: 0, aliasDuplicateObjects: false })}`;

function rulesOf(alerts: readonly AlertDefinition[]): object {
  return {
    groups: [
      { name: 'outrider', rules: alerts.map(ruleOf) },
      {
        name: 'outrider-watchdog',
        rules: [
          {
            alert: 'watchdog',
            expr: 'vector(1)',
            labels: { severity: 'none' },
            annotations: {
              summary: 'Fires always: when whoever expects it hears nothing, alerting itself is broken.',
            },
          },
        ],
      },
    ],
  };
}

function ruleOf({ id, severity, question, next, prometheus }: AlertDefinition): object {
  return {
    alert: id,
    expr: prometheus.expr,
    ...(prometheus.for === '0s' ? {} : { for: prometheus.for }),
    // what the collector found itself knows how bad it is: the second time a day is only a warning
    ...(saysSeverity(prometheus.expr) ? {} : { labels: { severity } }),
    annotations: { summary: question, value: '{{ $value | printf "%.4g" }}', next: commandWithoutRow(next) },
  };
}

const saysSeverity = (expr: string): boolean => /^outrider_alert_value\{[^}]*\}$/.test(expr);

/** The rule knows no row: what stands in braces is for the reader to fill in. */
const commandWithoutRow = (next: string): string =>
  next.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());

function testsOf(
  alerts: readonly AlertDefinition[],
  every: string,
  chosen: (test: RuleTest) => boolean,
): object {
  return {
    rule_files: [RULES],
    evaluation_interval: every,
    tests: alerts.flatMap((alert) =>
      alert.prometheus.tests.filter(chosen).map(({ name, series, at, fires }) => ({
        name: `${alert.id}: ${name}`,
        interval: '1m',
        input_series: Object.entries(series).map(([metric, values]) => ({ series: metric, values })),
        alert_rule_test: [
          {
            eval_time: at,
            alertname: alert.id,
            exp_alerts: fires.map(({ labels, value }) => ({
              exp_labels: labels,
              exp_annotations: { summary: alert.question, value, next: commandWithoutRow(alert.next) },
            })),
          },
        ],
      })),
    ),
  };
}

/** The page with its table replaced. */
function docsWith(table: string): string {
  const text = readFileSync(join(ROOT, DOCS), 'utf8');
  return text.replace(
    /(<!-- written by .*? -->\n)[\s\S]*?(<!-- end -->)/,
    (_, from, to) => `${from}${table}${to}`,
  );
}

function tableOf(alerts: readonly AlertDefinition[]): string {
  const rows = ['critical', 'warning'].flatMap((severity) =>
    alerts.filter((alert) => alert.severity === severity).map(lineOf),
  );
  return `${['| alert | | asks | when |', '| --- | --- | --- | --- |', ...rows].join('\n')}\n`;
}

function lineOf(alert: AlertDefinition): string {
  const { id, severity, question, threshold, window, for: lasting } = alert;
  const within = threshold > 0 || window === 0 || window >= DAY_MS ? '' : ` in ${lengthOf(window)}`;
  const long = lasting > 0 ? `, for ${lengthOf(lasting)}` : '';
  return `| \`${id}\` | ${severity} | ${question} | ${boundOf(alert)}${within}${long} |`;
}

function boundOf({ threshold, at_least, unit, steps, threshold_from }: AlertDefinition): string {
  if (threshold === 0) return 'any';
  if (threshold_from === 'expected_task') return `over ${threshold} × \`expected_task\``;
  const bounds = (steps ?? [threshold]).map((bound) => shown(bound, unit)).join(', then ');
  const own = threshold_from === 'task_budget' ? ', or its own task budget' : '';
  return `${at_least ? 'from' : 'over'} ${bounds}${own}`;
}

const DAY_MS = 86_400_000;
const lengthOf = (ms: number): string => (ms < 7_200_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`);

if (import.meta.main) {
  for (const [path, text] of builtFiles()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
}
