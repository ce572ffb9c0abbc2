// Holds at the ledger itself: each take and each settlement is one SQL function. What is never settled is posted in full
// when its time is over, whether or not anybody asks.

import { hash } from 'node:crypto';
import { type Obstacle, OPEN_TASKS_PER_AGENT_MAX, type Recall } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import type { HoldAsk, HoldLine, HoldRefused, HoldSettlement } from '../../contract/hold.ts';
import { calendarOf } from '../../contract/windows.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Database } from './database.ts';
import { accountMessage, accountsOfAgent, accountsOfTask } from './paths.ts';
import { obstacleMessage, type StepAnswer } from './steps.ts';

export type HoldTaken =
  | { readonly outcome: 'held'; readonly hold: HoldLine }
  | { readonly outcome: 'id_conflict'; readonly hold: HoldLine }
  | ({ readonly outcome: 'over_budget' } & HoldRefused);

export type HoldSettled =
  | { readonly outcome: 'settled' | 'conflict'; readonly hold: HoldLine }
  | { readonly outcome: 'unknown' };

export interface Holds {
  /** All levels or none. The same ask again changes nothing. Throws as Database.query does. */
  take(ask: HoldAsk, actor: string): Promise<HoldTaken>;
  /** Null where there is no such hold. */
  agentOf(id: string): Promise<string | null>;
  settle(id: string, how: HoldSettlement, actor: string): Promise<HoldSettled>;
  close(): void;
}

export interface HoldsOptions {
  readonly database: Database;
  /** The one in force. */
  config(): Config;
  readonly clock: Clock;
  readonly log: Log;
  onRecall(recall: Recall): void;
}

const EXPIRE_EVERY_MS = 5_000;

interface HoldRow extends Omit<HoldLine, 'opened_at' | 'expires_at' | 'settled_at'> {
  readonly opened_at: number;
  readonly expires_at: number;
  readonly settled_at: number | null;
}

type TakeAnswer =
  | { readonly outcome: 'held' | 'id_conflict'; readonly hold: HoldRow }
  | {
      readonly outcome: 'over_budget' | 'held';
      readonly hold?: undefined;
      readonly obstacle: NonNullable<StepAnswer['obstacle']>;
      readonly recalls?: readonly Recall[];
    };

type SettleAnswer =
  | { readonly outcome: 'settled' | 'conflict'; readonly hold: HoldRow }
  | { readonly outcome: 'unknown' };

/** A refusal of a new task says nothing of the amount that it asked for. */
const needed = ({ amounts }: HoldAsk, obstacle: Obstacle): Obstacle =>
  obstacle.unit === 'tasks' ? obstacle : { ...obstacle, needed: amounts[obstacle.unit] };

export function openHolds(options: HoldsOptions): Holds {
  const { database, config, clock, log } = options;
  const calendar = calendarOf(config().timezone);
  let cancel = clock.after(EXPIRE_EVERY_MS, expire);
  let closed = false;

  function expire(): void {
    database
      .query<{ ended: number }>('select expire_holds($1) as ended', [clock.nowMs()])
      .then(([row]) => {
        if (row && Number(row.ended) > 0) log.warn('holds_expired', { holds: Number(row.ended) });
      })
      .catch((failure: unknown) => log.warn('holds_not_expired', { reason: sentenceOf(failure) }))
      .finally(() => {
        if (!closed) cancel = clock.after(EXPIRE_EVERY_MS, expire);
      });
  }

  /** What the SQL function must know of the world outside: time, and the budgets in force. */
  function stepOf({ id, agent, task = '', amounts, ttl_ms }: HoldAsk, actor: string): object {
    const nowMs = clock.nowMs();
    const ofAgent = accountsOfAgent(config(), calendar, agent, nowMs);
    const ofTask = task === '' ? [] : accountsOfTask(config(), calendar, agent, task);
    return {
      at: nowMs,
      id,
      content: hash('sha256', JSON.stringify([agent, task, amounts.nanodollars, amounts.tokens, ttl_ms])),
      agent,
      instance: actor,
      task,
      amounts,
      expires_at: nowMs + ttl_ms,
      window_ends_at: null,
      path: [...ofAgent, ...ofTask].map(accountMessage),
      path_digest: '',
      tasks_max: OPEN_TASKS_PER_AGENT_MAX,
      grace_percent: config().money.gracePercent,
      grace_path: ofAgent.map(accountMessage),
    };
  }

  return {
    async take(ask, actor) {
      const [row] = await database.query<{ answer: TakeAnswer }>(
        'select take_hold($1::jsonb) as answer',
        [JSON.stringify(stepOf(ask, actor))],
        'money',
      );
      const answer = row!.answer;
      if (answer.hold) return { outcome: answer.outcome, hold: lineOf(answer.hold) };
      for (const recall of answer.recalls ?? []) options.onRecall(recall);
      return {
        outcome: 'over_budget',
        obstacle: needed(ask, obstacleMessage(answer.obstacle)),
        may_retry: answer.outcome === 'held',
      };
    },
    async agentOf(id) {
      const [row] = await database.query<{ agent: string }>(
        'select agent from holds where hold_id = $1',
        [id],
        'money',
      );
      return row?.agent ?? null;
    },
    async settle(id, how, actor) {
      const [row] = await database.query<{ answer: SettleAnswer }>(
        'select settle_hold($1, $2::jsonb, $3, $4) as answer',
        [id, JSON.stringify(how), actor, clock.nowMs()],
        'money',
      );
      const answer = row!.answer;
      return answer.outcome === 'unknown' ? answer : { outcome: answer.outcome, hold: lineOf(answer.hold) };
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

const lineOf = (row: HoldRow): HoldLine => ({
  ...row,
  opened_at: isoOf(row.opened_at),
  expires_at: isoOf(row.expires_at),
  settled_at: row.settled_at === null ? null : isoOf(row.settled_at),
});
