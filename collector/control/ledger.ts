// The ledger: who may spend how much. It turns an ask into the accounts that bind it and lets one SQL function do the
// whole step; that function holds the invariant: posted + outstanding never pass an account's limit.

import { hash, randomBytes } from 'node:crypto';
import {
  type BudgetLine,
  type LeaseAnswer,
  type LeaseAsk,
  type LeaseRequest,
  type LeaseResponse,
  OFFLINE_LEASE_MS,
  OPEN_TASKS_PER_AGENT_MAX,
  type Recall,
  TASK_LEASE_MS,
  type TaskEnd,
} from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import type { WrittenOff } from '../../contract/ledger-book.ts';
import { calendarOf } from '../../contract/windows.ts';
import type { Clock } from '../../kit/clock.ts';
import { levelOf } from './budget-levels.ts';
import { budgetLines } from './budget-lines.ts';
import type { Database } from './database.ts';
import { accountMessage, accountsOfAgent, accountsOfTask, departmentsOf, livePerLevel } from './paths.ts';
import type { Row } from './pglite.ts';
import { isKnownAgent, type Roster } from './roster.ts';
import { type Live, shareOf } from './share.ts';
import { createSteps, obstacleMessage, type Step, type StepAnswer } from './steps.ts';

export interface Ledger {
  lease(request: LeaseRequest): Promise<LeaseResponse>;
  budgets(): Promise<BudgetLine[]>;
  /** Also a task that never drew money, of an agent that is known. False when it was never begun and nobody knows the agent. */
  endTask(task: string, end: TaskEnd, actor: string): Promise<boolean>;
  /** Posts expired slices in full, or only says which it would post. */
  writeOff(asked: WriteOff, actor: string): Promise<WrittenOff[]>;
}

/** Which expired slices: those of one lease, of one agent, or all; `reason` in the words of who asks. */
export interface WriteOff {
  readonly lease?: string | undefined;
  readonly agent?: string | undefined;
  readonly reason: string;
  readonly dryRun: boolean;
}

export interface LedgerOptions {
  readonly database: Database;
  /** The one in force: budgets hold from the next grant. The timezone is the first one’s. */
  config(): Config;
  readonly clock: Clock;
  readonly roster: Roster;
  /** An instance is asked to release what it has not spent; it may be away. */
  onRecall(recall: Recall): void;
  /** The id a new lease gets, different at every call; random when not given. */
  readonly newLease?: () => string;
}

export function createLedger(options: LedgerOptions): Ledger {
  const { database, config, clock, roster, newLease = randomLease } = options;
  const calendar = calendarOf(config().timezone);
  const steps = createSteps(database);
  const departmentOf = departmentsOf(config);

  async function answerAsk(request: LeaseRequest, ask: LeaseAsk): Promise<LeaseAnswer> {
    const step = stepOf(request, ask, clock.nowMs());
    const answer = await steps.run(step);
    for (const recall of answer.recalls ?? []) options.onRecall(recall);
    const message = messageOf(ask, answer, clock.nowMs());
    return answer.levels ? { ...message, share: sharesOf(step.live, ask, answer) } : message;
  }

  /** Everything the SQL function must know of the world outside: time, budgets in force, who is live. */
  function stepOf({ agent, instance }: LeaseRequest, ask: LeaseAsk, nowMs: number): Step & { live: Live } {
    const task = ask.scope === 'task' ? (ask.task ?? '') : '';
    const ofAgent = accountsOfAgent(config(), calendar, agent, nowMs);
    const path = ask.scope === 'task' ? accountsOfTask(config(), calendar, agent, task) : ofAgent;
    const live = livePerLevel(departmentOf, roster.present(), { agent, instance }, nowMs);
    const ends = path.map((account) => account.endsAtMs).filter((end) => end !== null);
    const accounts = path.map(accountMessage);
    const windowEndsAtMs = ends.length > 0 ? Math.min(...ends) : null;
    return {
      ...ask,
      at: nowMs,
      agent,
      instance,
      task,
      fresh: newLease(),
      expires_at: Math.min(nowMs + lifeOf(ask, config()), windowEndsAtMs ?? Number.POSITIVE_INFINITY),
      window_ends_at: windowEndsAtMs,
      path: accounts,
      path_digest: hash('sha256', JSON.stringify(accounts), 'base64url'),
      live,
      cap: ask.scope === 'offline' ? config().money.offlineNanodollars.toString() : null,
      tasks_max: OPEN_TASKS_PER_AGENT_MAX,
      grace_percent: config().money.gracePercent,
      grace_path: ask.scope === 'task' ? ofAgent.map(accountMessage) : [],
    };
  }

  return {
    async lease(request) {
      roster.seen(request.agent, request.instance);
      return { answers: await Promise.all(request.asks.map((ask) => answerAsk(request, ask))) };
    },
    budgets: () => budgetLines(database, config(), calendar, clock.nowMs()),
    async endTask(task, { agent, state, output_units }, actor) {
      const [row] = await database.query<{ known: boolean }>(
        'select end_task($1, $2, $3, $4, $5, $6, $7) as known',
        [
          agent,
          task,
          state,
          output_units ?? null,
          actor,
          isKnownAgent(agent, config(), roster),
          clock.nowMs(),
        ],
      );
      return row?.known === true;
    },
    async writeOff({ lease, agent, reason, dryRun }, actor) {
      const rows = await database.query<WrittenOff & Row>('select * from write_off($1, $2, $3, $4, $5, $6)', [
        lease ?? null,
        agent ?? null,
        reason,
        dryRun,
        actor,
        clock.nowMs(),
      ]);
      return rows.map((row) => ({ ...row, expired_at: new Date(Number(row.expired_at)).toISOString() }));
    },
  };
}

const randomLease = (): string => `lse_${randomBytes(15).toString('base64url')}`;

function lifeOf(ask: LeaseAsk, config: Config): number {
  return { agent: config.money.leaseMs, offline: OFFLINE_LEASE_MS, task: TASK_LEASE_MS }[ask.scope];
}

function sharesOf(
  live: Live,
  { posted }: LeaseAsk,
  { granted, levels }: StepAnswer,
): NonNullable<LeaseAnswer['share']> {
  const share = (unit: 'nanodollars' | 'tokens'): string | null => {
    const all = granted?.[unit] ?? null;
    return all === null ? null : shareOf(levels ?? [], live, unit, BigInt(all) - BigInt(posted[unit]));
  };
  return { nanodollars: share('nanodollars'), tokens: share('tokens') };
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
    ...(answer.levels ? { levels: answer.levels.map((row) => levelOf(row, nowMs)) } : {}),
    ...(obstacle ? { obstacle: obstacleMessage(obstacle) } : {}),
  };
}
