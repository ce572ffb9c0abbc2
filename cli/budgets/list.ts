// `outrider budgets`: one line for each budget, in as many columns as a terminal of 120 has room for.

import type { BudgetLine } from '../../contract/budget.ts';
import { table } from '../../kit/table.ts';
import type { CollectorClient } from '../collector-client.ts';
import type { Io } from '../command.ts';
import { amountShort } from './amounts.ts';

const NAME_CHARACTERS_MAX = 20;

export async function listBudgets(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const lines = await collector.get<BudgetLine[]>('/v1/budgets');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  if (lines.length === 0)
    return io.stdout('There are no budgets: everything is metered, nothing is limited.\n');
  const raised = lines.some((line) => BigInt(line.raised ?? 0) > 0n);
  const head = ['BUDGET', 'WINDOW', 'LIMIT', 'SPENT', 'HELD', 'LEFT', 'PROJECTED', 'USED UP', 'RESETS'];
  io.stdout(table([head, ...lines.map(cells)]));
  if (raised) io.stdout('\n+ is what raises in force add: see `outrider budgets raises`.\n');
}

function cells(line: BudgetLine): string[] {
  const { level, name, window, unit, posted, held, resets_at, projected, used_up_at } = line;
  const shown = (amount: bigint) => amountShort(amount, unit);
  const left = BigInt(line.limit) - BigInt(posted) - BigInt(held);
  return [
    named(level, name),
    window,
    limitShown(line),
    shown(BigInt(posted)),
    shown(BigInt(held)),
    shown(left),
    projected == null ? '–' : shown(BigInt(projected)),
    used_up_at == null ? '–' : used_up_at <= new Date().toISOString() ? 'now' : minute(used_up_at),
    resets_at === null ? 'with the task' : minute(resets_at),
  ];
}

/** A collector of an earlier release tells of no raises. */
function limitShown({ limit, raised, unit }: BudgetLine): string {
  const more = BigInt(raised ?? 0);
  if (more === 0n) return amountShort(BigInt(limit), unit);
  return `${amountShort(BigInt(limit) - more, unit).replace(/ tok$/, '')}+${amountShort(more, unit)}`;
}

function named(level: string, name: string): string {
  const text = `${level}/${name}`;
  return text.length <= NAME_CHARACTERS_MAX ? text : `${text.slice(0, NAME_CHARACTERS_MAX - 1)}…`;
}

/** `2026-12-01T00:00:00.000Z` → `12-01 00:00`. */
const minute = (iso: string): string => `${iso.slice(5, 10)} ${iso.slice(11, 16)}`;
