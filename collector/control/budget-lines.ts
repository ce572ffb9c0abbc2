// What people are shown: one line for each budget of the configuration in its window of now, and each open task.

import type { BudgetLine } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import type { Calendar } from '../../contract/windows.ts';
import type { Database } from './database.ts';
import { type Account, accountsOfAgent, accountsOfTask } from './paths.ts';

interface AccountRow {
  readonly [column: string]: unknown;
  readonly level: string;
  readonly name: string;
  readonly unit: string;
  readonly budget_window: string;
  readonly starts_at: string;
  readonly posted: string;
  readonly outstanding: string;
}

const LINES_MAX = 20_000;

export async function budgetLines(
  database: Database,
  config: Config,
  calendar: Calendar,
  nowMs: number,
): Promise<BudgetLine[]> {
  const rows = await database.query<AccountRow>(
    `select level, name, unit, budget_window, starts_at::text, posted::text, outstanding::text from accounts a
     where ends_at > $1 or (level = 'task' and exists (
       select from tasks t where t.state = 'open' and t.agent || '/' || t.task = a.name))
     order by account_id limit $2`,
    [nowMs, LINES_MAX],
  );
  const known = new Map(rows.map((row) => [rowKey(row), row]));
  return [...accountsInForce(config, calendar, rows, nowMs).values()].map((account) =>
    lineOf(account, known.get(keyOf(account))),
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

function lineOf(account: Account, row: AccountRow | undefined): BudgetLine {
  const { level, name, window, unit, limit, endsAtMs } = account;
  return {
    level,
    name,
    window,
    unit,
    limit: limit.toString(),
    posted: row?.posted ?? '0',
    held: row?.outstanding ?? '0',
    resets_at: endsAtMs === null ? null : new Date(endsAtMs).toISOString(),
  };
}
