// The ledger: who may spend how much. It turns an ask into the accounts that bind it and lets one SQL function do the
// whole step; that function holds the invariant: posted + outstanding never pass an account's limit.

import { randomBytes } from 'node:crypto';
import {
  type BudgetLine,
  type LeaseAnswer,
  type LeaseAsk,
  type LeaseRequest,
  type LeaseResponse,
  type Level,
  type Obstacle,
  OFFLINE_LEASE_MS,
  OPEN_TASKS_PER_AGENT_MAX,
  type Recall,
  TASK_LEASE_MS,
  type TaskEnd,
} from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import { calendarOf } from '../../contract/windows.ts';
import type { Clock } from '../../kit/clock.ts';
import { invariant } from '../../kit/invariant.ts';
import { budgetLines } from './budget-lines.ts';
import type { Database } from './database.ts';
import { type Account, accountsOfAgent, accountsOfTask, livePerLevel } from './paths.ts';
import type { Roster } from './roster.ts';

export interface Ledger {
  lease(request: LeaseRequest): Promise<LeaseResponse>;
  budgets(): Promise<BudgetLine[]>;
  /** False when the task was never begun. */
  endTask(task: string, end: TaskEnd): Promise<boolean>;
  /** Posts every expired slice in full. */
  writeOff(): Promise<WrittenOff[]>;
}

/** An expired slice that now counts as spent; `amount` in `unit`. */
export interface WrittenOff {
  readonly lease: string;
  readonly agent: string;
  readonly instance: string;
  readonly unit: 'nanodollars' | 'tokens';
  readonly amount: string;
}

export interface LedgerOptions {
  readonly database: Database;
  readonly config: Config;
  readonly clock: Clock;
  readonly roster: Roster;
  /** An instance is asked to release what it has not spent; it may be away. */
  onRecall(recall: Recall): void;
}

/** What the SQL function lease_ask answers. */
interface StepAnswer {
  readonly outcome: LeaseAnswer['outcome'];
  readonly lease?: string;
  readonly epoch?: number;
  readonly granted?: LeaseAnswer['granted'];
  readonly expires_at?: number;
  readonly obstacle?: (Omit<Obstacle, 'resetsAt'> & { readonly resetsAt: number | null }) | null;
  readonly recalls?: readonly Recall[];
}

export function createLedger(options: LedgerOptions): Ledger {
  const { database, config, clock, roster } = options;
  const calendar = calendarOf(config.timezone);

  async function answerAsk(request: LeaseRequest, ask: LeaseAsk): Promise<LeaseAnswer> {
    const sentAtMs = clock.nowMs();
    const step = stepOf(request, ask, sentAtMs);
    const [row] = await database.query<{ answer: StepAnswer }>('select lease_ask($1::jsonb) as answer', [
      JSON.stringify(step),
    ]);
    invariant(row, 'lease_ask answers one row');
    for (const recall of row.answer.recalls ?? []) options.onRecall(recall);
    return messageOf(ask, row.answer, clock.nowMs());
  }

  /** Everything the SQL function must know of the world outside: time, budgets in force, who is live. */
  function stepOf({ agent, instance }: LeaseRequest, ask: LeaseAsk, nowMs: number): Record<string, unknown> {
    const task = ask.scope === 'task' ? (ask.task ?? '') : '';
    const ofAgent = accountsOfAgent(config, calendar, agent, nowMs);
    const path = ask.scope === 'task' ? accountsOfTask(config, calendar, agent, task) : ofAgent;
    const live = livePerLevel(config, roster.present(), { agent, instance }, nowMs);
    const ends = path.map((account) => account.endsAtMs).filter((end) => end !== null);
    const windowEndsAtMs = ends.length > 0 ? Math.min(...ends) : null;
    return {
      ...ask,
      at: nowMs,
      agent,
      instance,
      task,
      fresh: `lse_${randomBytes(15).toString('base64url')}`,
      expires_at: Math.min(nowMs + lifeOf(ask, config), windowEndsAtMs ?? Number.POSITIVE_INFINITY),
      window_ends_at: windowEndsAtMs,
      path: path.map((account) => accountMessage(account, live)),
      cap: ask.scope === 'offline' ? config.money.offlineNanodollars.toString() : null,
      tasks_max: OPEN_TASKS_PER_AGENT_MAX,
      grace_percent: config.money.gracePercent,
      grace_path: ask.scope === 'task' ? ofAgent.map((account) => accountMessage(account, live)) : [],
    };
  }

  return {
    async lease(request) {
      roster.seen(request.agent, request.instance);
      const answers: LeaseAnswer[] = [];
      for (const ask of request.asks) answers.push(await answerAsk(request, ask));
      return { answers };
    },
    budgets: () => budgetLines(database, config, calendar, clock.nowMs()),
    async endTask(task, { agent, state, output_units }) {
      const [row] = await database.query<{ known: boolean }>('select end_task($1, $2, $3, $4, $5) as known', [
        agent,
        task,
        state,
        output_units ?? null,
        clock.nowMs(),
      ]);
      return row?.known === true;
    },
    async writeOff() {
      const rows = await database.query('select lease, agent, instance, unit, amount from write_off($1)', [
        clock.nowMs(),
      ]);
      return rows as unknown as WrittenOff[];
    },
  };
}

function lifeOf(ask: LeaseAsk, config: Config): number {
  return { agent: config.money.leaseMs, offline: OFFLINE_LEASE_MS, task: TASK_LEASE_MS }[ask.scope];
}

function accountMessage(account: Account, live: Readonly<Record<Level, number>>): Record<string, unknown> {
  const { level, name, unit, window, startsAtMs, endsAtMs, limit } = account;
  return {
    level,
    name,
    unit,
    window,
    starts_at: startsAtMs,
    ends_at: endsAtMs,
    limit: limit.toString(),
    live: live[level],
  };
}

function messageOf(ask: LeaseAsk, answer: StepAnswer, nowMs: number): LeaseAnswer {
  const { obstacle } = answer;
  return {
    scope: ask.scope,
    ...(ask.task === undefined ? {} : { task: ask.task }),
    outcome: answer.outcome,
    lease: answer.outcome === 'stale' ? null : (answer.lease ?? null),
    epoch: answer.epoch ?? 0,
    granted: answer.granted ?? { nanodollars: '0', tokens: '0' },
    ttlMs: Math.max(0, (answer.expires_at ?? 0) - nowMs),
    ...(obstacle
      ? {
          obstacle: {
            ...obstacle,
            resetsAt: obstacle.resetsAt === null ? null : new Date(obstacle.resetsAt).toISOString(),
          },
        }
      : {}),
  };
}
