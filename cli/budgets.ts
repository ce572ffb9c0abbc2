// `outrider budgets`: what is spent, held and left, at every level.

import { parseArgs } from 'node:util';
import type { BudgetLine } from '../contract/budget.ts';
import { formatDollars } from '../contract/money.ts';
import { collectorClient } from './collector-client.ts';
import { EXIT, type Io, UsageError } from './command.ts';

export const help = `outrider budgets: what is spent, held and left

Usage: outrider budgets [--json] [--collector URL] [--data DIR]
       outrider budgets write-off     post expired slices whose sidecar never came back

  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN is set

Example: outrider budgets --json
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      collector: { type: 'string' },
      data: { type: 'string' },
    },
    allowPositionals: true,
  });
  const client = collectorClient(values, io);
  const [action] = positionals;
  if (action === 'write-off') {
    const { written_off } = await client.post<{ written_off: number }>('/v1/budgets/write-off', {});
    io.stdout(
      values.json ? `${JSON.stringify({ written_off })}\n` : `${written_off} expired slices posted.\n`,
    );
    return EXIT.done;
  }
  if (action !== undefined)
    throw new UsageError(`outrider budgets takes write-off or nothing, not ${action}.`);
  const lines = await client.get<BudgetLine[]>('/v1/budgets');
  io.stdout(values.json ? `${JSON.stringify(lines, null, 2)}\n` : table(lines));
  return EXIT.done;
}

const HEADINGS = ['level', 'name', 'window', 'limit', 'spent', 'held', 'left', 'resets'];

function table(lines: readonly BudgetLine[]): string {
  if (lines.length === 0) return 'No budget has been drawn on yet.\n';
  const cells = [HEADINGS, ...lines.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function cellsOf(line: BudgetLine): string[] {
  const amount = (text: string): string =>
    line.unit === 'tokens' ? `${text} tokens` : formatDollars(BigInt(text));
  const left = BigInt(line.limit) - BigInt(line.posted) - BigInt(line.held);
  const { level, name, window, limit, posted, held, resets_at } = line;
  return [
    level,
    name,
    window,
    amount(limit),
    amount(posted),
    amount(held),
    amount(left.toString()),
    resets_at ?? '-',
  ];
}
