// Which accounts a lease draws on: the budgets of the configuration in force, in the windows that are running now.

import { AWAY_AFTER_MS, type Level } from '../../contract/budget.ts';
import { agentNamed, type Budget, type Config } from '../../contract/config/config.ts';
import type { Calendar } from '../../contract/windows.ts';
import type { Live } from './share.ts';

const DEPARTMENTS_KNOWN_MAX = 20_000;

/** One budget in one window. The four first fields and `startsAtMs` name it for ever. */
export interface Account {
  readonly level: Level;
  /** The fleet's, department's or agent's name; `agent/task` for a task. */
  readonly name: string;
  readonly unit: Budget['unit'];
  readonly window: Budget['window'];
  readonly startsAtMs: number;
  readonly endsAtMs: number | null;
  readonly limit: bigint;
}

/** Fleet, department and agent budgets of one agent. */
export function accountsOfAgent(config: Config, calendar: Calendar, agent: string, atMs: number): Account[] {
  const entry = agentNamed(config, agent);
  const department = entry?.department ?? null;
  const at = (level: Level, name: string, budgets: readonly Budget[]) =>
    accountsAt(level, name, budgets, calendar, atMs);
  return [
    ...at('fleet', config.fleet, config.budgets),
    ...(department === null
      ? []
      : at('department', department, config.departments.get(department)?.budgets ?? [])),
    ...at('agent', agent, entry?.budgets ?? []),
  ];
}

export function accountsOfTask(config: Config, calendar: Calendar, agent: string, task: string): Account[] {
  return accountsAt('task', `${agent}/${task}`, agentNamed(config, agent)?.taskBudgets ?? [], calendar, 0);
}

/** The budgets of one name at one level, as the configuration has them. */
export function accountsNamed(
  config: Config,
  calendar: Calendar,
  level: Level,
  name: string,
  atMs: number,
): Account[] {
  if (level === 'task') {
    const slash = name.indexOf('/');
    return accountsOfTask(config, calendar, name.slice(0, slash), name.slice(slash + 1));
  }
  const budgets = {
    fleet: name === config.fleet ? config.budgets : [],
    department: config.departments.get(name)?.budgets ?? [],
    agent: agentNamed(config, name)?.budgets ?? [],
  }[level];
  return accountsAt(level, name, budgets, calendar, atMs);
}

/** Of two budgets in the same unit and window only the smaller one can ever bind. */
function accountsAt(
  level: Level,
  name: string,
  budgets: readonly Budget[],
  calendar: Calendar,
  atMs: number,
): Account[] {
  const found = new Map<string, Account>();
  for (const { unit, window, limit } of budgets) {
    const key = `${unit} ${window}`;
    const other = found.get(key);
    if (other && other.limit <= limit) continue;
    found.set(key, { level, name, unit, window, limit, ...calendar(window, atMs) });
  }
  return [...found.values()];
}

/** An account as the SQL functions are told of it. */
export function accountMessage(account: Account): Record<string, unknown> {
  const { level, name, unit, window, startsAtMs, endsAtMs, limit } = account;
  return {
    level,
    name,
    unit,
    window,
    starts_at: startsAtMs,
    ends_at: endsAtMs,
    limit: limit.toString(),
  };
}

/** An instance as far as sharing a budget goes. */
export interface Presence {
  readonly agent: string;
  readonly instance: string;
  readonly lastSeenMs: number;
}

/** The department of an agent, remembered: finding the entry that rules a name tries every pattern. */
export function departmentsOf(inForce: () => Config): (agent: string) => string | null {
  const known = new Map<string, string | null>();
  let knownFor = '';
  return (agent) => {
    const config = inForce();
    if (config.digest !== knownFor) known.clear();
    knownFor = config.digest;
    const found = known.get(agent);
    if (found !== undefined) return found;
    if (known.size >= DEPARTMENTS_KNOWN_MAX) known.clear();
    const department = agentNamed(config, agent)?.department ?? null;
    known.set(agent, department);
    return department;
  };
}

/** How many live instances draw on the accounts of each level, the asker always counted. */
export function livePerLevel(
  departmentOf: (agent: string) => string | null,
  present: Iterable<Presence>,
  asker: { readonly agent: string; readonly instance: string },
  nowMs: number,
): Live {
  const department = departmentOf(asker.agent);
  const live = { fleet: 1, department: 1, agent: 1, task: 1 };
  for (const { agent, instance, lastSeenMs } of present) {
    if (nowMs - lastSeenMs >= AWAY_AFTER_MS) continue;
    if (agent === asker.agent && instance === asker.instance) continue;
    live.fleet += 1;
    if (department !== null && departmentOf(agent) === department) live.department += 1;
    if (agent !== asker.agent) continue;
    live.agent += 1;
    live.task += 1;
  }
  return live;
}
