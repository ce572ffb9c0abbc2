// docs/metrics.md as text, from the one declaration of the metrics, so that the page can name no other.

import {
  COLLECTOR_METRICS,
  FLEET_METRICS,
  type Metric,
  PROCESS_METRICS,
  QUANTILES,
  SIDECAR_METRICS,
} from '../contract/metrics.ts';

const INTRODUCTION = `# Metrics

*Written from \`contract/metrics.ts\` by \`npm run docs\`; a test holds it up to date.*

Both processes answer \`GET /metrics\` in Prometheus' text format: a sidecar at its admin port (\`127.0.0.1:4321\`), the
collector at its control port (\`127.0.0.1:4319\`). Neither asks for a token.

Every label is bounded. \`agent\` is the entry of the configuration: agents whose names are made at run time
(\`pr-*\`) share their pattern. Upstreams and credentials come from the configuration, refusals, statuses and verdicts
are closed lists, and after 64 models or 32 kinds of error in one process the rest are \`other\` (\`_OTHER\`). Which call,
task or instance it was is a question for SQL, where every call is a row.
`;

const FLEET_INTRODUCTION = `The collector reads the rollups every ten seconds, never while somebody scrapes. Counters begin at 0 when the
collector starts and only grow; records that arrive late are counted when they arrive, up to two days late. At most
2,000 series are shown: the agents that did least share \`agent="other"\`. What a budget of names made at run time shows is
the fullest of them. The summaries cover the last hour, with the quantiles ${QUANTILES.join(', ')}.
`;

/** What operators ask of a fleet and calls and tasks alone cannot answer. */
const NOT_REPORTED: readonly (readonly [what: string, how: string])[] = [
  [
    'Human review minutes',
    'Send a log record named `human.review` with the attribute `minutes`, or a histogram `human.review.duration`; a ticket’s own time is known once approvals are answered here.',
  ],
  [
    'Cost per unit of output',
    'End the task with its units: `POST /v1/tasks/{id}` with `{"state": "done", "output_units": 1}`. Tasks without units are left out, not counted as zero.',
  ],
  [
    'Confidence',
    'Send a gauge `outrider.confidence` between 0 and 1 over OTLP. No model’s confidence is guessed.',
  ],
  [
    'Queue depth',
    'Send a gauge `outrider.queue.depth` over OTLP (docs/otlp.md). Without it `outrider_fleet_queue_depth` has no series for the agent.',
  ],
  [
    'Whether an output was good, rework',
    'Nothing here reads answers. End a task as `failed`, or send `gen_ai.evaluation.result` events: they are kept as log records.',
  ],
  [
    'Time an agent spends thinking without calling anything',
    'Utilisation is the share of time with a call under way. What runs inside the agent is not seen.',
  ],
  [
    'Span of control (agents per accountable human)',
    'A fact of the configuration, not a measurement: agents with the same `owner`; the SQL door counts them.',
  ],
];

/** The whole page, ending in a newline. */
export function metricsPage(): string {
  return [
    INTRODUCTION,
    section('A sidecar', SIDECAR_METRICS),
    'The three `gen_ai_client_*` histograms have the names, labels and bounds of the OpenTelemetry GenAI conventions',
    '(v1.41), with `agent` added. A refused call is in none of them: nothing was asked of a model.\n',
    section('The collector', COLLECTOR_METRICS),
    section('The fleet, as the collector sees it', FLEET_METRICS),
    FLEET_INTRODUCTION,
    section('Either process', PROCESS_METRICS),
    '## Not reported\n',
    'What calls and tasks cannot tell is not estimated. To have it, an agent must say it:\n',
    table(['what', 'how to have it'], NOT_REPORTED),
  ].join('\n');
}

function section(title: string, metrics: Readonly<Record<string, Metric>>): string {
  const rows = Object.entries(metrics).map(([name, { type, unit, labels, help }]) => [
    `\`${name}\``,
    type,
    unit,
    labels.map((label) => `\`${label}\``).join(' '),
    help,
  ]);
  return `## ${title}\n\n${table(['name', 'type', 'unit', 'labels', 'what it says'], rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}
