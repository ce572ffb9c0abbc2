// What people are shown: one line for each budget of the configuration in its window of now, and each open task.

import type { BudgetLine } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import type { Calendar } from '../../contract/windows.ts';
import { isoOrNull } from './budget-levels.ts';
import type { Database } from './database.ts';
import { type Account, accountsOfAgent, accountsOfTask } from './paths.ts';
import { projectionOf, type Spending } from './projection.ts';

interface AccountRow {
  readonly [column: string]: unknown;
  readonly level: string;
  readonly name: string;
  readonly unit: string;
  readonly budget_window: string;
  readonly starts_at: string;
  readonly posted: string;
  readonly outstanding: string;
  readonly mark_at: string;
  readonly mark_posted: string;
  readonly before_at: string;
  readonly before_posted: string;
}

const LINES_MAX = 20_000;

export async function budgetLines(
  database: Database,
  config: Config,
  calendar: Calendar,
  nowMs: number,
): Promise<BudgetLine[]> {
  const rows = await database.query<AccountRow>(
    `select level, name, unit, budget_window, starts_at::text, posted::text, outstanding::text,
       mark_at::text, mark_posted::text, before_at::text, before_posted::text from accounts a
     where ends_at > $1 or (level = 'task' and exists (
       select from tasks t where t.state = 'open' and t.agent || '/' || t.task = a.name))
     order by account_id limit $2`,
    [nowMs, LINES_MAX],
  );
  const known = new Map(rows.map((row) => [rowKey(row), row]));
  const raised = await raisedAmounts(database, nowMs);
  return [...accountsInForce(config, calendar, rows, nowMs).values()].map((account) =>
    lineOf(account, known.get(keyOf(account)), raised.get(budgetKey(account)) ?? 0n, nowMs),
  );
}

/** The configuration's own, then agents and tasks that only the ledger has met (names made at run time). */
function accountsInForce(
  config: Config,
  calendar: Calendar,
  rows: readonly AccountRow[],
  nowMs: number,
): Map<string, Account> {
  const found = new Map<string, Account>();
  const add = (accounts: readonly Account[]) => {
    for (const account of accounts) found.set(keyOf(account), account);
  };
  const met = rows.filter(({ level }) => level === 'agent').map(({ name }) => name);
  const written = [...config.agents.keys()].filter((name) => !name.includes('*'));
  const agents = new Set([...written, ...met]);
  add(accountsOfAgent({ ...config, agents: new Map() }, calendar, '', nowMs));
  for (const level of ['department', 'agent'] as const) {
    for (const agent of agents)
      add(accountsOfAgent(config, calendar, agent, nowMs).filter((account) => account.level === level));
  }
  for (const { level, name } of rows) {
    if (level !== 'task') continue;
    const slash = name.indexOf('/');
    add(accountsOfTask(config, calendar, name.slice(0, slash), name.slice(slash + 1)));
  }
  return found;
}

const keyOf = ({ level, name, unit, window, startsAtMs }: Account) =>
  JSON.stringify([level, name, unit, window, startsAtMs]);

const rowKey = ({ level, name, unit, budget_window, starts_at }: AccountRow) =>
  JSON.stringify([level, name, unit, budget_window, Number(starts_at)]);

const budgetKey = ({ level, name, unit, window }: Pick<Account, 'level' | 'name' | 'unit' | 'window'>) =>
  JSON.stringify([level, name, unit, window]);

/** What raises add, by budget. */
async function raisedAmounts(database: Database, nowMs: number): Promise<ReadonlyMap<string, bigint>> {
  const rows = await database.query<Pick<Account, 'level' | 'name' | 'unit' | 'window'> & { more: string }>(
    `select level, name, unit, budget_window as window, sum(amount)::text as more from raises
     where ended_at is null and ends_at > $1 group by 1, 2, 3, 4`,
    [nowMs],
  );
  return new Map(rows.map((row) => [budgetKey(row), BigInt(row.more)]));
}

function lineOf(account: Account, row: AccountRow | undefined, raised: bigint, nowMs: number): BudgetLine {
  const { level, name, window, unit, startsAtMs, endsAtMs } = account;
  const limit = account.limit + raised;
  const posted = BigInt(row?.posted ?? 0);
  const marks = marksOf(row);
  const { projected, byLastHour, usedUpAtMs } = projectionOf(
    { posted, limit, startsAtMs, endsAtMs, marks },
    nowMs,
  );
  return {
    level,
    name,
    window,
    unit,
    limit: limit.toString(),
    raised: raised.toString(),
    posted: posted.toString(),
    held: row?.outstanding ?? '0',
    starts_at: isoOrNull(endsAtMs === null ? null : startsAtMs),
    resets_at: isoOrNull(endsAtMs),
    projected: projected?.toString() ?? null,
    projected_by_last_hour: byLastHour?.toString() ?? null,
    used_up_at: isoOrNull(usedUpAtMs),
  };
}

const marksOf = (row: AccountRow | undefined): Spending['marks'] => [
  { atMs: Number(row?.mark_at ?? 0), posted: BigInt(row?.mark_posted ?? 0) },
  { atMs: Number(row?.before_at ?? 0), posted: BigInt(row?.before_posted ?? 0) },
];
