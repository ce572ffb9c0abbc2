// `outrider quarantine`: hold an agent, an upstream, a model, a tool, a task or the whole fleet apart until somebody has
// looked; every sidecar follows within two seconds, and who, why and until when is on record.

import { parseArgs } from 'node:util';
import type { BlastRadius } from '../contract/blast-radius.ts';
import { readDuration } from '../contract/config/units.ts';
import { formatDollars } from '../contract/money.ts';
import {
  type QuarantineLine,
  type QuarantineSet,
  readSubject,
  SUBJECT_FORMS,
} from '../contract/quarantine.ts';
import { table } from '../kit/table.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, refuseIdleFlags, UsageError } from './command.ts';

export const help = `outrider quarantine: hold an agent, or what agents use, apart until somebody has looked

Usage: outrider quarantine [--json]
       outrider quarantine SUBJECT --reason TEXT [--for TIME]
       outrider quarantine lift SUBJECT [--reason TEXT]
       outrider quarantine radius SUBJECT [--since TIME] [--json]

  SUBJECT           agent/NAME, task/AGENT/TASK, upstream/NAME, model/UPSTREAM/MODEL, tool/UPSTREAM/TOOL,
                    or fleet for every call of every agent; * in a name is any run of characters
  --reason TEXT     told to whoever is refused, and kept on record with who you are by your join token
  --for TIME        90s, 30m, 2h: then it is lifted by itself; else it lasts until somebody lifts it
  --since TIME      how far back the radius looks: 30m, 24h (the default), 7d
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

In force at every sidecar within two seconds, in observe mode too: new calls are refused (agent_quarantined), running
ones are ended, and what they had used is paid. A sidecar keeps the list on disk and follows it without a collector. The
radius is what a subject touched, what of it may have changed something, and which agents worked on with what it said.

Example: outrider quarantine agent/trend-scout --reason "posts the same draft again and again" --for 2h
`;

/** How far back the radius looks unless said. */
const SINCE = '24h';

const OPTIONS = {
  reason: { type: 'string' },
  for: { type: 'string' },
  since: { type: 'string' },
  json: { type: 'boolean', default: false },
  collector: { type: 'string' },
  data: { type: 'string' },
} as const;

interface Flags {
  readonly reason?: string;
  readonly for?: string;
  readonly since?: string;
  readonly json: boolean;
}

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const [first, second, ...rest] = positionals;
  if (first === 'lift' || first === 'radius') {
    if (rest.length > 0) throw usage();
    const subject = subjectFrom(second);
    refuseIdleFlags(values, first === 'lift' ? ['reason'] : ['since'], `quarantine ${first}`);
    const sinceMs = Date.now() - (durationFrom(values.since ?? SINCE, '--since') ?? 0);
    const collector = collectorClient(values, io);
    await (first === 'lift'
      ? lift(collector, subject, values, io)
      : radius(collector, subject, sinceMs, values, io));
  } else {
    if (second !== undefined) throw usage();
    refuseIdleFlags(values, ['reason', 'for'], 'quarantine');
    const asksForList = first === undefined && values.reason === undefined && values.for === undefined;
    const order = asksForList ? null : orderFrom(subjectFrom(first), values);
    const collector = collectorClient(values, io);
    await (order === null ? list(collector, values, io) : put(collector, order, values, io));
  }
  return EXIT.done;
}

const usage = () =>
  new UsageError(
    'Write `outrider quarantine`, `outrider quarantine SUBJECT …` or `outrider quarantine lift|radius SUBJECT`.',
  );

function subjectFrom(text: string | undefined): string {
  if (text !== undefined && readSubject(text)) return text;
  throw new UsageError(`Say what, as one of ${SUBJECT_FORMS}${text === undefined ? '' : `, not ${text}`}.`);
}

function orderFrom(subject: string, flags: Flags) {
  const reason = flags.reason?.trim();
  if (!reason)
    throw new UsageError('Say why with --reason TEXT: it is told to whoever is refused, and kept on record.');
  return { subject, reason, for_ms: durationFrom(flags.for, '--for') };
}

function durationFrom(text: string | undefined, flag: string): number | null {
  if (text === undefined) return null;
  const read = readDuration(text);
  if ('mistake' in read) throw new UsageError(`${flag}: ${read.mistake}.`);
  if (read.value === 0) throw new UsageError(`${flag}: write more than zero.`);
  return read.value;
}

async function put(
  collector: CollectorClient,
  order: ReturnType<typeof orderFrom>,
  { json }: Flags,
  io: Io,
): Promise<void> {
  const line = await collector.post<QuarantineSet>('/v1/quarantine', order);
  if (!line.known)
    io.stderr(
      `The collector has not heard of ${line.subject}: if that is not how it is spelled, nothing is held.\n`,
    );
  if (json) return io.stdout(`${JSON.stringify(line, null, 2)}\n`);
  io.stdout(`${line.subject} is in quarantine ${untilOf(line)}.\n`);
}

const untilOf = ({ until }: QuarantineLine): string =>
  until === null ? 'until it is lifted' : `until ${until}`;

async function lift(collector: CollectorClient, subject: string, flags: Flags, io: Io): Promise<void> {
  const reason = flags.reason?.trim();
  await collector.post('/v1/quarantine/lift', { subject, ...(reason && { reason }) });
  io.stdout(flags.json ? '{}\n' : `${subject} is out of quarantine.\n`);
}

async function list(collector: CollectorClient, { json }: Flags, io: Io): Promise<void> {
  const lines = await collector.get<QuarantineLine[]>('/v1/quarantine');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  if (lines.length === 0) return io.stdout('Nothing is in quarantine.\n');
  const head = ['SUBJECT', 'SINCE', 'UNTIL', 'BY', 'REASON'];
  const cells = ({ subject, since, until, actor, reason }: QuarantineLine) => [
    subject,
    since,
    until ?? 'lifted',
    actor,
    reason,
  ];
  io.stdout(table([head, ...lines.map(cells)]));
}

async function radius(
  collector: CollectorClient,
  subject: string,
  sinceMs: number,
  { json }: Flags,
  io: Io,
): Promise<void> {
  const query = new URLSearchParams({ subject, since: new Date(sinceMs).toISOString() });
  const found = await collector.get<BlastRadius>(`/v1/quarantine/radius?${query}`);
  io.stdout(json ? `${JSON.stringify(found, null, 2)}\n` : radiusText(found));
}

function radiusText({ subject, since, touched, agents, tasks, credentials, more }: BlastRadius): string {
  if (touched.length === 0) return `${subject} touched nothing since ${since}.\n`;
  const targets = touched.map(
    ({ target, agent, calls, changes, refused, cost_nanodollars, first_seen, last_seen }) => [
      target,
      agent,
      ...[calls, changes, refused].map(String),
      formatDollars(BigInt(cost_nanodollars)),
      first_seen,
      last_seen,
    ],
  );
  const others = agents.map(({ agent, steps, how, by, calls, since: from }) => [
    agent,
    String(steps),
    how === 'itself' ? how : `${how} ${by}`,
    String(calls),
    from,
  ]);
  return [
    `${subject} since ${since}`,
    '',
    table([
      ['TOUCHED', 'AGENT', 'CALLS', 'MAY HAVE CHANGED', 'REFUSED', 'COST', 'FIRST', 'LAST'],
      ...targets,
    ]),
    table([['REACHED', 'STEPS', 'HOW', 'CALLS', 'SINCE'], ...others]),
    table([['TASK', 'AGENT', 'CALLS', 'MAY HAVE CHANGED'], ...tasks.map(taskCells)]),
    `Credentials: ${credentials.length === 0 ? 'none' : credentials.join(', ')}.`,
    ...(more ? ['There is more: narrow it with --since, or ask docs/sql/08-blast-radius.sql.'] : []),
    '',
  ].join('\n');
}

const taskCells = ({ task, agent, calls, changes }: BlastRadius['tasks'][number]): string[] => [
  task,
  agent,
  String(calls),
  String(changes),
];
