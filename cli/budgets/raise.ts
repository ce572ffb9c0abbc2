// `outrider budgets raise`, `raises` and `end-raise`: what is typed, read before anybody is asked.

import { LEVELS } from '../../contract/budget.ts';
import { readDuration, readTaskBudget } from '../../contract/config/units.ts';
import { RAISE_MS_MAX, type RaiseLine, type RaiseOrder } from '../../contract/raise.ts';
import { table } from '../../kit/table.ts';
import type { CollectorClient } from '../collector-client.ts';
import { type Io, UsageError } from '../command.ts';
import { amountShown } from './amounts.ts';

type Act = (collector: CollectorClient, json: boolean, io: Io) => Promise<void>;

interface Flags {
  readonly for?: string;
  readonly reason?: string;
  readonly window?: string;
}

/** Throws UsageError. */
export function raiseBudget(words: readonly string[], flags: Flags): Act {
  const order = orderFrom(words, flags);
  return async (collector, json, io) => {
    const line = await collector.post<RaiseLine>('/v1/budgets/raise', order);
    if (json) return io.stdout(`${JSON.stringify(line, null, 2)}\n`);
    const more = amountShown(BigInt(line.amount), line.unit);
    io.stdout(
      `${line.level} ${line.name} has ${more} more per ${line.window} until ${line.until}. ` +
        `To end it before: outrider budgets end-raise ${line.id}\n`,
    );
  };
}

export async function listRaises(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const lines = await collector.get<RaiseLine[]>('/v1/budgets/raises');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  if (lines.length === 0) return io.stdout('No raise is in force: every limit is the config’s.\n');
  const rows = lines.map(({ id, level, name, window, unit, amount, until, actor, reason }) => [
    id,
    `${level}/${name}`,
    window,
    `+${amountShown(BigInt(amount), unit)}`,
    until,
    actor,
    reason,
  ]);
  io.stdout(table([['ID', 'BUDGET', 'WINDOW', 'RAISE', 'UNTIL', 'BY', 'REASON'], ...rows]));
}

export function endRaise(id: string): Act {
  return async (collector, json, io) => {
    await collector.delete(`/v1/budgets/raises/${encodeURIComponent(id)}`);
    io.stdout(json ? '{}\n' : `Raise ${id} has ended; slices above the limit are called back.\n`);
  };
}

function orderFrom(words: readonly string[], flags: Flags): RaiseOrder {
  const [whose, ...rest] = words[0] === 'task' ? [words.slice(0, 2).join('/'), ...words.slice(2)] : words;
  const reason = flags.reason?.trim();
  const order = { ...namedBy(whose), ...amountFrom(rest.join(' ')), window: flags.window ?? null };
  if (flags.for === undefined)
    throw new UsageError(
      'Say for how long with --for TIME, such as --for 8h: a raise always ends by itself.',
    );
  if (!reason) throw new UsageError('Say why with --reason TEXT: it is kept on record.');
  return { ...order, for_ms: durationFrom(flags.for), reason };
}

function namedBy(whose = ''): Pick<RaiseOrder, 'level' | 'name'> {
  if (whose === 'fleet') return { level: 'fleet', name: null };
  const slash = whose.indexOf('/');
  const level = LEVELS.find((known) => known === whose.slice(0, Math.max(0, slash)));
  const name = whose.slice(slash + 1);
  if (!level || level === 'fleet' || name === '' || (level === 'task') !== name.includes('/')) {
    throw new UsageError(
      'Say whose budget: fleet, department/NAME, agent/NAME or task/AGENT/TASK, then how much more.',
    );
  }
  return { level, name };
}

function amountFrom(text: string): Pick<RaiseOrder, 'unit' | 'amount'> {
  const read = text.startsWith('+') ? readTaskBudget(text.slice(1).trim()) : { mistake: '' };
  if ('mistake' in read || read.value.limit === 0n) {
    throw new UsageError(
      `Write how much more in single quotes, such as '+$50' or '+5M tokens': ${text || 'nothing'} is no amount.`,
    );
  }
  return { unit: read.value.unit, amount: read.value.limit.toString() };
}

function durationFrom(text: string): number {
  const read = readDuration(text);
  if ('mistake' in read) throw new UsageError(`--for: ${read.mistake}.`);
  if (read.value === 0) throw new UsageError('--for: write more than zero.');
  if (read.value > RAISE_MS_MAX) throw new UsageError(`--for: at most ${RAISE_MS_MAX / 86_400_000}d.`);
  return read.value;
}
