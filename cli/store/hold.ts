// `outrider store hold add|list|end`: what must not be dropped though its time is over.

import type { LegalHold, LegalHoldOrder } from '../../contract/retention.ts';
import { table } from '../../kit/table.ts';
import { EXIT, refuseIdleFlags, UsageError } from '../command.ts';
import { print, reasonOf, type StoreAsked } from './flags.ts';

const TAKEN: Readonly<Record<string, readonly string[]>> = {
  add: ['agent', 'from', 'until', 'reason'],
  list: ['ended'],
  end: ['reason'],
};
const ACTIONS: Readonly<Record<string, (asked: StoreAsked) => Promise<void>>> = { add, list, end };

export async function hold(asked: StoreAsked): Promise<number> {
  const [name = 'list', ...rest] = asked.rest;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action) throw new UsageError('Write `outrider store hold add|list|end`; see --help.');
  refuseIdleFlags({ ...asked.values }, TAKEN[name] ?? [], `store hold ${name}`);
  if (name !== 'end' && rest.length > 0)
    throw new UsageError(`\`${rest[0]}\` is one word too many; see --help.`);
  await action({ ...asked, rest });
  return EXIT.done;
}

async function add(asked: StoreAsked): Promise<void> {
  const { agent = '', from, until } = asked.values;
  const order: LegalHoldOrder = {
    agent,
    from: timeOf('from', from),
    until: timeOf('until', until),
    reason: reasonOf(asked.values),
  };
  const made = await asked.collector.post<LegalHold>('/v1/store/holds', order);
  print(asked, made, ({ id }) => `${scopeOf(made)} stay until \`outrider store hold end ${id}\`.\n`);
}

/** A day is written as people do, and begins at midnight UTC. */
function timeOf(flag: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const ms = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new UsageError(`--${flag}: write a day or a time, such as 2026-03-01 or 2026-03-01T09:00:00Z.`);
  return new Date(ms).toISOString();
}

function scopeOf({ agent, from, until }: LegalHold): string {
  const whose = agent === '' ? 'All rows of the fleet' : `Rows of agent ${agent}`;
  return [whose, from && `from ${from}`, until && `until ${until}`].filter(Boolean).join(' ');
}

async function list(asked: StoreAsked): Promise<void> {
  const lines = await asked.collector.get<LegalHold[]>(
    `/v1/store/holds?ended=${asked.values.ended ?? false}`,
  );
  print(asked, lines, () =>
    lines.length === 0 ? 'No legal hold is in force.\n' : table([HEAD, ...lines.map(cells)]),
  );
}

const HEAD = ['ID', 'AGENT', 'FROM', 'UNTIL', 'SET', 'BY', 'REASON', 'ENDED'];
const cells = (line: LegalHold): string[] => [
  line.id,
  line.agent || 'all',
  line.from ?? 'the first day',
  line.until ?? 'further notice',
  line.set_at,
  line.actor,
  line.reason,
  line.ended_at === null ? '' : `${line.ended_at} by ${line.ended_by}: ${line.end_reason}`,
];

async function end(asked: StoreAsked): Promise<void> {
  const [id, ...more] = asked.rest;
  if (id === undefined || more.length > 0)
    throw new UsageError('Say which: `outrider store hold end ID --reason TEXT`.');
  const order = { reason: reasonOf(asked.values) };
  const ended = await asked.collector.post<LegalHold>(`/v1/store/holds/${encodeURIComponent(id)}/end`, order);
  print(asked, ended, () => `Legal hold ${id} is ended: what is past its time goes within the hour.\n`);
}
