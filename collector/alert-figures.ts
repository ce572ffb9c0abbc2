// What alerts look at that is in no table of the store: the ledger's budgets, who has gone, the collector's own queue
// and log.

import { AWAY_AFTER_MS, type BudgetLine } from '../contract/budget.ts';
import { formatDollars } from '../contract/money.ts';
import type { Clock } from '../kit/clock.ts';
import { createSpenders, type Spenders } from './alert-spenders.ts';
import type { Ask, Figures } from './alerts/evaluate.ts';
import type { Row } from './alerts/finding.ts';
import type { AnchorState } from './audit/anchors.ts';
import { leaseHolders, openLetters } from './control/alert-facts.ts';
import type { Database } from './control/database.ts';
import type { Ledger } from './control/ledger.ts';
import type { Roster } from './control/roster.ts';

export interface FigureSources {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly roster: Roster;
  /** Parts of this collector that are not there. */
  missing(): readonly string[];
  queue(): { readonly segments: number; readonly oldestMs: number };
  /** What keeps the queue from its work, see queue/queue.ts; and how much it has set aside. */
  standing(): readonly string[];
  setAside(): number;
  /** Counted tables that may lack rows. */
  sumsInDoubt(): Promise<readonly string[]>;
  behind(): { readonly requests: number; readonly forMs: number };
  anchors(): readonly Pick<AnchorState, 'name' | 'failingMs' | 'reason'>[];
  /** How far the clock stands ahead, where it keeps old rows from being dropped; else null. */
  haltedByMs(): number | null;
  /** Asks the store. */
  readonly ask: Ask;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;
const QUEUE_BEHIND_MS = 60_000;
/** A budget is used up when nothing fits into what is left: calls are refused for money, and little is left. */
const NEARLY_ALL = 0.95;
/** From here on it is said who spent what: where the first of the alerts begins. */
const NEAR = 0.7;
const SPENDERS_TOLD_MAX = 50;
/** In words, what stands still of the queue. */
const STANDS: Readonly<Record<string, string>> = {
  queue: 'takes no records, not even of sidecars: its queue or its disk is full',
  loading: 'loads nothing: its store refuses one message after the other',
  'room to load': 'loads nothing: its disk is all but full',
};

export function createFigures(sources: FigureSources): Figures {
  const spenders = createSpenders(sources.ask, sources.clock);
  const budgets = (levels: readonly string[]) => () => budgetRows(sources, levels, spenders);
  const startedMs = sources.clock.nowMs();
  const partAway = firstSeen(sources.clock);
  return {
    budgets: budgets(['fleet', 'department', 'agent', 'task']),
    shared_budgets: budgets(['fleet', 'department']),
    own_budgets: budgets(['agent', 'task']),
    parts_away: async () => [
      ...partsAway(sources, partAway),
      // Whoever lived before this collector started is given time to be heard.
      ...(sources.clock.nowMs() - startedMs < 2 * AWAY_AFTER_MS ? [] : await instancesAway(sources)),
    ],
    own_queue: async () => {
      const { segments, oldestMs } = sources.queue();
      return oldestMs < QUEUE_BEHIND_MS
        ? []
        : [{ key: 'collector', who: 'the collector', value: Math.max(segments, 11) }];
    },
    own_refusals: async () =>
      sources.standing().map((part) => ({ key: part, what: STANDS[part] ?? part, value: 1 })),
    set_aside: async () => {
      const value = sources.setAside();
      return value === 0 ? [] : [{ key: 'collector', value }];
    },
    sums_in_doubt: async () => {
      const tables = await sources.sumsInDoubt();
      const value = tables.length;
      return value === 0 ? [] : [{ key: 'collector', value, tables: tables.join(' ') }];
    },
    own_log: async () => {
      const { requests, forMs } = sources.behind();
      return [{ key: 'collector', value: forMs / 1000, requests }];
    },
    anchors: async () =>
      sources
        .anchors()
        .map(({ name, failingMs, reason }) => ({ key: name, name, value: failingMs / 1000, reason })),
    halted_retention: async () => {
      const aheadMs = sources.haltedByMs();
      return aheadMs === null ? [] : [{ key: 'collector', value: Math.round(aheadMs / DAY_MS) }];
    },
    dead_letters: async () =>
      (await openLetters(sources.database)).map(({ letters, ...row }) => ({
        ...row,
        key: `${row.agent}/${row.upstream}`,
        value: letters,
      })),
  };
}

async function budgetRows(
  sources: FigureSources,
  levels: readonly string[],
  spenders: Spenders,
): Promise<Row[]> {
  const lines = (await sources.ledger.budgets()).filter(
    ({ level, limit }) => levels.includes(level) && limit !== '0',
  );
  const refused = lines.some((line) => usedOf(line) >= NEARLY_ALL)
    ? await refusedFor(sources)
    : new Set<string>();
  const rows = lines.map((line) => budgetRow(line, refused.has(`${line.level} ${line.name}`)));
  const near = lines.flatMap((line, at) => (usedOf(line) >= NEAR ? [at] : [])).slice(0, SPENDERS_TOLD_MAX);
  for (const at of near) rows[at] = { ...rows[at], spent_by: await spenders(lines[at]!) };
  return rows;
}

const usedOf = ({ posted, limit }: BudgetLine): number => Number(posted) / Number(limit);

function budgetRow(line: BudgetLine, refused: boolean): Row {
  const { level, name, window, unit, limit, posted } = line;
  const used = usedOf(line);
  const amount = (text: string) =>
    unit === 'tokens' ? `${Number(text).toLocaleString('en-US')} tokens` : formatDollars(BigInt(text));
  const [agent, task] = ownersOf(level, name);
  return {
    key: `${level} ${name} ${window} ${unit}`,
    agent,
    task,
    value: refused && used >= NEARLY_ALL ? Math.max(1, used) : used,
    share: percentOf(used),
    level,
    name,
    period: window,
    spend: amount(posted),
    limit: amount(limit),
  };
}

/** All is said of nothing less than all. */
function percentOf(used: number): string {
  const percent = Math.round(used * 100);
  return `${used < 1 ? Math.min(percent, 99) : percent} %`;
}

/** `level name` of all on whose path a call was refused for money within a day. */
async function refusedFor({ ask, clock }: FigureSources): Promise<ReadonlySet<string>> {
  const rows = await ask(
    `SELECT fleet_id, department, agent_id, task_id FROM actions
     WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}) AND refusal = 'over_budget'
     GROUP BY ALL LIMIT 10000`,
    { since: clock.nowMs() - DAY_MS },
  );
  return new Set(
    rows.flatMap(({ fleet_id, department, agent_id, task_id }) => [
      `fleet ${fleet_id}`,
      `department ${department}`,
      `agent ${agent_id}`,
      `task ${agent_id}/${task_id}`,
    ]),
  );
}

function ownersOf(level: string, name: string): readonly [agent: string, task: string] {
  if (level === 'agent') return [name, ''];
  const slash = name.indexOf('/');
  return level === 'task' ? [name.slice(0, slash), name.slice(slash + 1)] : ['', ''];
}

async function instancesAway({ roster, database, clock }: FigureSources): Promise<Row[]> {
  const nowMs = clock.nowMs();
  const away = roster
    .lines()
    .filter(({ health, last_seen }) => health === 'away' && nowMs - Date.parse(last_seen) < DAY_MS);
  if (away.length === 0) return [];
  const holders = await leaseHolders(database);
  return away
    .filter(({ name, instance }) => holders.has(`${name}/${instance}`))
    .map(({ name, instance, last_seen }) => ({
      key: `${name}/${instance}`,
      agent: name,
      what: `The sidecar ${name}/${instance}`,
      value: (nowMs - Date.parse(last_seen)) / 1000,
    }));
}

function partsAway(
  { missing }: FigureSources,
  awayFor: (part: string, all: readonly string[]) => number,
): Row[] {
  const parts = missing();
  awayFor('', parts);
  return parts.map((part) => ({
    key: part,
    what: `The collector's ${part}`,
    value: 1 + awayFor(part, parts),
  }));
}

/** For how many seconds a part has been among those that are away. */
function firstSeen(clock: Clock): (part: string, all: readonly string[]) => number {
  const since = new Map<string, number>();
  return (part, all) => {
    for (const known of since.keys()) if (!all.includes(known)) since.delete(known);
    if (part === '') return 0;
    const start = since.get(part) ?? clock.monotonicMs();
    since.set(part, start);
    return (clock.monotonicMs() - start) / 1000;
  };
}
