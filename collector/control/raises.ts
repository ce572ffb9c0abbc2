// Raises of budgets: made and ended in the ledger's own database, where every ask sees them. Here is only who may be
// raised, and the timer that ends a raise although nobody asks, so that slices above the limit are called back.

import { randomBytes } from 'node:crypto';
import type { Recall } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import { AMOUNT_MAX } from '../../contract/config/units.ts';
import type { RaiseLine, RaiseOrder } from '../../contract/raise.ts';
import { type Calendar, calendarOf } from '../../contract/windows.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Database } from './database.ts';
import { type Account, accountsNamed } from './paths.ts';

export interface Raises {
  /** Throws NothingToRaise. */
  raise(order: RaiseOrder, actor: string): Promise<RaiseLine>;
  /** False when no such raise is in force. */
  end(id: string, actor: string): Promise<boolean>;
  lines(): Promise<readonly RaiseLine[]>;
  close(): void;
}

export interface RaisesOptions {
  readonly database: Database;
  /** The one in force. The timezone is the first one’s. */
  config(): Config;
  readonly clock: Clock;
  readonly log: Log;
  onRecall(recall: Recall): void;
}

/** The order names no budget, or more than one. */
export class NothingToRaise extends Error {
  override readonly name = 'NothingToRaise';
}

const LOOK_AGAIN_MS = 5_000;
/** What a timer holds; a longer wait is cut in pieces. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export async function openRaises(options: RaisesOptions): Promise<Raises> {
  const { database, config, clock, log } = options;
  const calendar = calendarOf(config().timezone);
  let cancel: () => void = () => undefined;
  let closed = false;
  await endOver();

  async function endOver(): Promise<void> {
    cancel();
    let waitMs = LOOK_AGAIN_MS;
    try {
      await ended(null, 'collector', 'its time is over');
      waitMs = await untilNextEnd();
    } catch (failure) {
      log.error('raises.not_ended', { failure: sentenceOf(failure) });
    }
    cancel();
    if (!closed) cancel = clock.after(waitMs, () => void endOver());
  }

  async function untilNextEnd(): Promise<number> {
    const [next] = await database.query<{ at: string | null }>(
      'select min(ends_at)::text as at from raises where ended_at is null',
      [],
      'order',
    );
    const waitMs = next?.at == null ? TIMER_MS_MAX : Number(next.at) - clock.nowMs();
    return Math.min(TIMER_MS_MAX, Math.max(0, waitMs));
  }

  async function ended(id: string | null, actor: string, reason: string): Promise<boolean> {
    const over = await database.query<{ ended: string; recalls: readonly Recall[] }>(
      'select ended, recalls from end_raises($1, $2, $3, $4)',
      [id, actor, reason, clock.nowMs()],
      'order',
    );
    for (const { ended: raise, recalls } of over) {
      log.info('budget.raise_ended', { raise, by: actor, reason });
      for (const recall of recalls) options.onRecall(recall);
    }
    return over.length > 0;
  }

  return {
    async raise(order, actor) {
      const nowMs = clock.nowMs();
      const { level, name, unit, window } = accountFor(order, config(), calendar, nowMs);
      const id = `rse_${randomBytes(9).toString('base64url')}`;
      const made = { ...order, id, level, name, unit, window, ends_at: nowMs + order.for_ms, actor };
      await database.query('select make_raise($1::jsonb, $2)', [JSON.stringify(made), nowMs], 'order');
      const line = lineOf({ ...made, made_at: String(nowMs), ends_at: String(made.ends_at) });
      log.info('budget.raised', { ...line, by: actor });
      await endOver();
      return line;
    },
    async end(id, actor) {
      return ended(id, actor, 'ended by hand');
    },
    async lines() {
      const rows = await database.query<RaiseRow>(
        `select raise_id as id, level, name, unit, budget_window as window, amount::text, made_at::text, ends_at::text,
           actor, reason from raises where ended_at is null and ends_at > $1 order by ends_at, raise_id limit 10000`,
        [clock.nowMs()],
      );
      return rows.map(lineOf);
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

interface RaiseRow {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly level: string;
  readonly name: string;
  readonly unit: string;
  readonly window: string;
  readonly amount: string;
  readonly made_at: string;
  readonly ends_at: string;
  readonly actor: string;
  readonly reason: string;
}

function lineOf({
  id,
  level,
  name,
  unit,
  window,
  amount,
  made_at,
  ends_at,
  actor,
  reason,
}: RaiseRow): RaiseLine {
  return {
    id,
    level: level as RaiseLine['level'],
    name,
    unit: unit as RaiseLine['unit'],
    window,
    amount,
    since: new Date(Number(made_at)).toISOString(),
    until: new Date(Number(ends_at)).toISOString(),
    actor,
    reason,
  };
}

/** The one budget of the configuration that an order means. Throws NothingToRaise with what it could have said. */
function accountFor(order: RaiseOrder, config: Config, calendar: Calendar, nowMs: number): Account {
  const { level, unit, window } = order;
  const name = order.name ?? config.fleet;
  const own = accountsNamed(config, calendar, level, name, nowMs);
  if (own.length === 0)
    throw new NothingToRaise(`The config gives ${level} ${name} no budget, so nothing limits it there.`);
  const meant = own.filter(
    (account) => account.unit === unit && (window ?? account.window) === account.window,
  );
  const [account] = meant;
  const known = own
    .map((each) => `in ${each.unit === 'tokens' ? 'tokens' : 'dollars'} per ${each.window}`)
    .join(', ');
  if (!account) throw new NothingToRaise(`The budgets of ${level} ${name} are ${known}: name one of these.`);
  if (meant.length > 1)
    throw new NothingToRaise(`The budgets of ${level} ${name} are ${known}: say which window.`);
  if (account.limit + BigInt(order.amount) > AMOUNT_MAX)
    throw new NothingToRaise('The raise is more than any budget can hold.');
  return account;
}
