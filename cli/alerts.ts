// `outrider alerts`: what fires and who knows, a test of the channels, and how to say "I have it" or "not now".

import { parseArgs } from 'node:util';
import {
  type AlertLine,
  type AlertList,
  MATCHABLE,
  type Matchers,
  SEVERITIES,
  type Severity,
  SILENCE_MS_MAX,
} from '../contract/alert.ts';
import { readDuration } from '../contract/config/units.ts';
import { table } from '../kit/table.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, refuseIdleFlags, UsageError } from './command.ts';

export const help = `outrider alerts: what is wrong, who knows, and who has it

Usage: outrider alerts [list] [--history] [--json]
       outrider alerts test [--severity critical|warning|info] [--json]
       outrider alerts ack ALERT [--key KEY] --reason TEXT
       outrider alerts silence NAME=VALUE… --for TIME --reason TEXT
       outrider alerts silence --end ID

  list              what fires now; --history: what is over as well
  test              one real page to each channel of the severity (critical unless said), and what each answered
  ack ALERT         somebody has it: it is not said again; without --key all of that alert
  silence           tell nobody of what matches all of these: ${MATCHABLE.join(', ')};
                    a value may end in *; what still fires when it ends is told then
  --for TIME        30m, 2h, 7d: at most 30 days
  --reason TEXT     kept on record, with who you are by your join token
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

Example: outrider alerts silence agent=writer-2 alert=error-rate --for 2h --reason "the CMS is being moved"
`;

const OPTIONS = {
  history: { type: 'boolean', default: false },
  severity: { type: 'string' },
  key: { type: 'string' },
  for: { type: 'string' },
  end: { type: 'string' },
  reason: { type: 'string' },
  json: { type: 'boolean', default: false },
  collector: { type: 'string' },
  data: { type: 'string' },
} as const;

interface Asked {
  readonly rest: readonly string[];
  readonly values: ReturnType<typeof read>['values'];
  readonly collector: CollectorClient;
  readonly io: Io;
}

const read = (args: readonly string[]) =>
  parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });

/** Which flags an action takes beside --json, --collector and --data. */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  list: ['history'],
  test: ['severity'],
  ack: ['key', 'reason'],
  silence: ['for', 'end', 'reason'],
};

const ACTIONS: Readonly<Record<string, (asked: Asked) => Promise<number>>> = { list, test, ack, silence };

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = read(args);
  const [name = 'list', ...rest] = positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action)
    throw new UsageError(`Write \`outrider alerts ${Object.keys(ACTIONS).join('|')}\`; see --help.`);
  refuseIdleFlags(values, TAKEN[name] ?? [], `alerts ${name}`);
  return action({ rest, values, collector: collectorClient(values, io), io });
}

async function list({ rest, values, collector, io }: Asked): Promise<number> {
  nothingMore(rest);
  const alerts = await collector.get<AlertList>('/v1/alerts');
  if (values.json) return printed(io, alerts);
  const head = ['SEVERITY', 'ALERT', 'SINCE', 'WHO HAS IT', 'WHAT', 'KEY'];
  const over = values.history ? alerts.history : [];
  const rows = [...alerts.active, ...over].map(cells);
  io.stdout(rows.length > 0 ? table([head, ...rows]) : 'Nothing is wrong.\n');
  for (const { id, failing } of alerts.definitions)
    if (failing) io.stderr(`${id} could not be evaluated: ${failing}\n`);
  for (const { channel, alert, attempts, state, answer } of alerts.undelivered)
    io.stderr(`${channel} has not taken ${alert} (${state}, ${attempts} attempts): ${answer}\n`);
  for (const { id, matchers, until, reason, by } of alerts.silences)
    io.stderr(`silence ${id} until ${until} (${by}: ${reason}): ${described(matchers)}\n`);
  return EXIT.done;
}

function cells(line: AlertLine & { readonly resolved_at?: string }): string[] {
  const { severity, alert, fired_at, acknowledged_by, silenced_until, summary, key, resolved_at } = line;
  const silenced = silenced_until ? `silenced until ${silenced_until}` : 'nobody yet';
  const who = resolved_at ? `over since ${resolved_at}` : (acknowledged_by ?? silenced);
  return [severity, alert, fired_at, who, summary, key];
}

async function test({ rest, values, collector, io }: Asked): Promise<number> {
  nothingMore(rest);
  const severity = severityFrom(values.severity ?? 'critical');
  const { answers } = await collector.post<TestAnswers>('/v1/alerts/test', { severity });
  if (values.json) io.stdout(`${JSON.stringify({ answers }, null, 2)}\n`);
  if (answers.length === 0) {
    const key = severity === 'info' ? 'digest' : severity;
    throw new Error(
      `No channel takes ${severity} alerts: name one under \`alerts.${key}\` in outrider.yaml.`,
    );
  }
  if (!values.json) io.stdout(table([['CHANNEL', 'STATE', 'ANSWER'], ...answers.map(answerCells)]));
  return answers.every(({ state }) => state === 'delivered') ? EXIT.done : EXIT.failed;
}

interface TestAnswers {
  readonly answers: readonly { readonly channel: string; readonly state: string; readonly answer: string }[];
}

const answerCells = ({ channel, state, answer }: TestAnswers['answers'][number]) => [
  channel,
  state,
  answer || 'none yet: it is tried again for a day',
];

function severityFrom(text: string): Severity {
  const severity = SEVERITIES.find((known) => known === text);
  if (severity) return severity;
  throw new UsageError(`--severity is one of ${SEVERITIES.join(', ')}.`);
}

async function ack({ rest: [alert, ...more], values, collector, io }: Asked): Promise<number> {
  if (!alert) throw new UsageError('Say which alert: `outrider alerts ack ALERT --reason TEXT`.');
  nothingMore(more);
  const ask = { alert, key: values.key ?? null, reason: reasonFrom(values.reason) };
  const answer = await collector.post<{ acknowledged: number }>('/v1/alerts/ack', ask);
  if (values.json) return printed(io, answer);
  io.stdout(`You have ${answer.acknowledged} of ${alert}: nobody is told again.\n`);
  return EXIT.done;
}

async function silence({ rest, values, collector, io }: Asked): Promise<number> {
  if (values.end !== undefined) {
    nothingMore(rest);
    if (!/^\d{1,18}$/.test(values.end))
      throw new UsageError('--end takes the number of a silence, as `outrider alerts` lists it.');
    await collector.delete(`/v1/alerts/silences/${encodeURIComponent(values.end)}`);
    io.stdout(values.json ? '{}\n' : `Silence ${values.end} is over.\n`);
    return EXIT.done;
  }
  const matchers = matchersFrom(rest);
  const ask = { matchers, for_ms: timeFrom(values.for), reason: reasonFrom(values.reason) };
  const answer = await collector.post<{ id: string }>('/v1/alerts/silences', ask);
  if (values.json) return printed(io, answer);
  io.stdout(`Silence ${answer.id}: nobody is told of ${described(matchers)} for ${values.for}.\n`);
  return EXIT.done;
}

function matchersFrom(words: readonly string[]): Matchers {
  const matchers: Partial<Record<(typeof MATCHABLE)[number], string>> = {};
  for (const word of words) {
    const [, before, value] = /^([a-z]+)=(.+)$/s.exec(word) ?? [];
    const name = MATCHABLE.find((known) => known === before);
    if (!name || !value)
      throw new UsageError(`${word}: write NAME=VALUE with one of ${MATCHABLE.join(', ')}.`);
    matchers[name] = value;
  }
  if (words.length === 0)
    throw new UsageError('Say what to silence, such as agent=writer-2 or alert=error-rate.');
  return matchers;
}

function timeFrom(text: string | undefined): number {
  const read = readDuration(text ?? '');
  if (text === undefined || 'mistake' in read)
    throw new UsageError('Say for how long with --for TIME, such as --for 2h.');
  if (read.value === 0 || read.value > SILENCE_MS_MAX)
    throw new UsageError('--for: write more than zero and at most 30d.');
  return read.value;
}

/** A word too many is a mistake, not a wish to be ignored: `ack ALERT AGENT` would take every agent's. */
function nothingMore(rest: readonly string[]): void {
  if (rest.length > 0) throw new UsageError(`\`${rest[0]}\` is one word too many; see --help.`);
}

function reasonFrom(text: string | undefined): string {
  const reason = text?.trim();
  if (!reason) throw new UsageError('Say why with --reason TEXT: it is kept on record.');
  return reason;
}

const described = (matchers: Matchers): string =>
  Object.entries(matchers)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

function printed(io: Io, answer: unknown): number {
  io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
  return EXIT.done;
}
