// `outrider budgets`: what is spent, held and left of every budget; and writing off what was never settled.

import { parseArgs } from 'node:util';
import type { BudgetLine } from '../contract/budget.ts';
import { formatDollars } from '../contract/money.ts';
import { table } from '../kit/table.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, UsageError } from './command.ts';

export const help = `outrider budgets: what is spent, held and left

Usage: outrider budgets [--json] [--collector URL] [--data DIR]
       outrider budgets write-off [--json] [--collector URL] [--data DIR]

  write-off         count every expired slice that its sidecar never settled as spent, for good
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

Held is what sidecars may still spend of slices they drew; left is what nobody has drawn yet.

Example: outrider budgets --collector http://127.0.0.1:4319
`;

interface WrittenOff {
  readonly written_off: readonly {
    readonly lease: string;
    readonly agent: string;
    readonly instance: string;
    readonly unit: BudgetLine['unit'];
    readonly amount: string;
  }[];
}

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      collector: { type: 'string' },
      data: { type: 'string' },
    },
  });
  const [action, ...rest] = positionals;
  if (rest.length > 0 || (action !== undefined && action !== 'write-off'))
    throw new UsageError('Write `outrider budgets` or `outrider budgets write-off`.');
  const collector = collectorClient(values, io);
  if (action === 'write-off') await writeOff(collector, values.json, io);
  else await list(collector, values.json, io);
  return EXIT.done;
}

async function list(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const lines = await collector.get<BudgetLine[]>('/v1/budgets');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  if (lines.length === 0)
    return io.stdout('There are no budgets: everything is metered, nothing is limited.\n');
  const head = ['LEVEL', 'NAME', 'WINDOW', 'LIMIT', 'SPENT', 'HELD', 'LEFT', 'RESETS'];
  io.stdout(table([head, ...lines.map(cells)]));
}

async function writeOff(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const answer = await collector.post<WrittenOff>('/v1/budgets/write-off');
  if (json) return io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
  if (answer.written_off.length === 0) return io.stdout('No expired slice is left to write off.\n');
  const head = ['AGENT', 'INSTANCE', 'LEASE', 'NOW SPENT'];
  const rows = answer.written_off.map(({ agent, instance, lease, unit, amount }) => [
    agent,
    instance,
    lease,
    shown(BigInt(amount), unit),
  ]);
  io.stdout(table([head, ...rows]));
}

function cells({ level, name, window, unit, limit, posted, held, resets_at }: BudgetLine): string[] {
  const left = BigInt(limit) - BigInt(posted) - BigInt(held);
  const amounts = [limit, posted, held].map((amount) => shown(BigInt(amount), unit));
  return [level, name, window, ...amounts, shown(left, unit), resets_at ?? 'with the task'];
}

const shown = (amount: bigint, unit: BudgetLine['unit']) =>
  unit === 'tokens' ? `${amount.toLocaleString('en-US')} tokens` : formatDollars(amount);
