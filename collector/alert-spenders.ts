// Who spent what of a budget that is nearly used up: its agents, tasks and models that cost most in the window, for the
// message to its owner. Asked of the records, a budget at a time and not again at every round.

import type { BudgetLine } from '../contract/budget.ts';
import { formatDollars } from '../contract/money.ts';
import type { Clock } from '../kit/clock.ts';
import type { Ask } from './alerts/evaluate.ts';

/** A sentence; empty where the records know of no spending. Throws what the store throws. */
export type Spenders = (line: BudgetLine) => Promise<string>;

const FRESH_MS = 5 * 60_000;
const KNOWN_MAX = 1_000;
/** A task's budget has no window: its records are looked for this far back. */
const TASK_MS = 30 * 86_400_000;

const BY = { agents: 'agent_id', tasks: "concat(agent_id, '/', task_id)", models: 'model' } as const;
const OF_LEVEL: Readonly<Record<BudgetLine['level'], string>> = {
  fleet: 'fleet_id = {name:String}',
  department: 'department = {name:String}',
  agent: 'agent_id = {name:String}',
  task: "concat(agent_id, '/', task_id) = {name:String}",
};
const AMOUNT = {
  nanodollars: 'toInt64(sum(cost_usd) * 1000000000)',
  tokens: 'sum(ifNull(tokens_in, 0) + ifNull(tokens_out, 0))',
} as const;

export function createSpenders(ask: Ask, clock: Clock): Spenders {
  const known = new Map<string, { readonly atMs: number; readonly text: string }>();
  return async (line) => {
    const key = `${line.level} ${line.name} ${line.window} ${line.unit}`;
    const before = known.get(key);
    const nowMs = clock.nowMs();
    if (before && nowMs - before.atMs < FRESH_MS) return before.text;
    const text = await spentBy(line, ask, nowMs);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(key, { atMs: nowMs, text });
    return text;
  };
}

async function spentBy(
  { level, name, unit, starts_at }: BudgetLine,
  ask: Ask,
  nowMs: number,
): Promise<string> {
  const parts = Object.entries(BY).map(
    ([kind, column]) =>
      `SELECT '${kind}' AS kind, ${column} AS who, toString(${AMOUNT[unit]}) AS amount FROM actions
       WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}) AND ${OF_LEVEL[level]} AND ${column} != ''
       GROUP BY who HAVING toInt64(amount) > 0 ORDER BY toInt64(amount) DESC, who LIMIT 3`,
  );
  const sql = parts.map((part) => `SELECT * FROM (${part})`).join(' UNION ALL ');
  const since = starts_at === null ? nowMs - TASK_MS : Date.parse(starts_at);
  const rows = await ask(sql, { since, name });
  return Object.keys(BY)
    .filter((kind) => rows.some((row) => row.kind === kind))
    .map(
      (kind) =>
        `${kind}: ${rows
          .filter((row) => row.kind === kind)
          .map((row) => shown(row, unit))
          .join(', ')}`,
    )
    .join('; ');
}

function shown({ who, amount }: Readonly<Record<string, unknown>>, unit: BudgetLine['unit']): string {
  const text = String(amount);
  return `${String(who)} ${unit === 'tokens' ? `${Number(text).toLocaleString('en-US')} tokens` : formatDollars(BigInt(text))}`;
}
