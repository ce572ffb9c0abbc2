// Once an hour: what is past its time goes, unless a legal hold keeps it. What goes is on record before it does. A clock that
// jumped far ahead would make everything old at once: it is not believed until it stands right again, or somebody says that
// it does.

import { AUDIT_DAYS_MIN } from '../contract/config/defaults.ts';
import type {
  OverduePartition,
  RetentionClass,
  RetentionRun,
  RetentionState,
} from '../contract/retention.ts';
import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { CollectorConfig } from './config.ts';
import { noteEvent } from './control/control-events.ts';
import type { Database } from './control/database.ts';
import { createLegalHolds, type LegalHolds } from './control/legal-holds.ts';
import { droppedRecords } from './store/dropped-records.ts';
import {
  dropPartition,
  type HeldRange,
  logKeptFromMs,
  newestReceivedMs,
  overduePartitions,
} from './store/retention.ts';
import type { Store } from './store/store.ts';

export interface Retention {
  readonly holds: LegalHolds;
  /** What went. `trustedBy`: who says that the clock is right. Throws ClockNotBelieved and what the stores throw. */
  run(trustedBy?: string): Promise<RetentionRun>;
  state(): Promise<RetentionState>;
  /** How far the clock stood ahead when the last run was halted by it; null: it was not. */
  haltedByMs(): number | null;
  /** Resolves once no run goes on that began before: what a hold covers since then stays. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface RetentionOptions {
  readonly store: Pick<Store, 'query' | 'command' | 'layout'>;
  readonly database: Database;
  readonly retention: CollectorConfig['retention'];
  /** Drops of the log what came before a time, in milliseconds. */
  pruneLog?(beforeMs: number): Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The clock stands too far after the last run for anything to be dropped by it. */
export class ClockNotBelieved extends Error {
  override name = 'ClockNotBelieved';
}

const FIRST_RUN_MS = 60_000;
const RUN_EVERY_MS = 3_600_000;
/** A collector may rest for as long; a clock that moved further since the last run may be wrong. */
export const CLOCK_AHEAD_MS_MAX = 7 * 86_400_000;

export function startRetention(options: RetentionOptions): Retention {
  const { store, database, clock, log } = options;
  const holds = createLegalHolds(database, clock);
  const days = daysOf(options.retention);
  let cancel: () => void = () => undefined;
  let closed = false;
  let haltedByMs: number | null = null;
  let last: Promise<unknown> = Promise.resolve();

  const held = async (): Promise<HeldRange[]> =>
    (await holds.list(false)).map(({ id, agent, from, until }) => ({
      id,
      agent,
      fromMs: from === null ? null : Date.parse(from),
      untilMs: until === null ? null : Date.parse(until),
    }));
  const overdue = async (): Promise<OverduePartition[]> =>
    overduePartitions(store, { days, holds: await held(), nowMs: clock.nowMs() });

  const aheadMs = async (): Promise<number> => {
    const since = (await holds.lastRunMs()) ?? (await newestReceivedMs(store)) ?? clock.nowMs();
    return clock.nowMs() - since;
  };

  async function halt(ahead: number): Promise<never> {
    const sentence = `The clock stands ${Math.round(ahead / 86_400_000)} days after old rows were looked for last, so none are dropped: if it is right, run \`outrider store retention run --trust-clock\`.`;
    if (haltedByMs === null) await note('retention_halted', 'collector', { ahead_ms: ahead });
    haltedByMs = ahead;
    throw new ClockNotBelieved(sentence);
  }

  async function note(event: 'retention_run' | 'retention_halted', actor: string, details: object) {
    await noteEvent(
      database,
      { event, actor, agent: '', reason: '', details: { ...details } },
      clock.nowMs(),
    );
  }

  async function drop(trustedBy: string | undefined): Promise<RetentionRun> {
    const ahead = await aheadMs();
    if (trustedBy === undefined && ahead > CLOCK_AHEAD_MS_MAX) return halt(ahead);
    haltedByMs = null;
    const going = (await overdue()).filter(({ held_by }) => held_by.length === 0);
    const dropped = going.map(({ held_by: _none, ...partition }) => partition);
    const run = { dropped, streams: await droppedRecords(store, going) };
    if (going.length > 0) await note('retention_run', trustedBy ?? 'collector', run);
    for (const partition of going) {
      await dropPartition(store, partition);
      log.info('retention.dropped', { ...partition });
    }
    await holds.noteRun(clock.nowMs());
    await options.pruneLog?.(logKeptFromMs({ days, holds: await held(), nowMs: clock.nowMs() }));
    return run;
  }

  const run = (trustedBy?: string): Promise<RetentionRun> => {
    const next = last.then(() => drop(trustedBy));
    last = next.catch(() => undefined);
    return next;
  };

  async function hourly(): Promise<void> {
    try {
      await run();
    } catch (failure) {
      log.error('retention.not_run', { reason: sentenceOf(failure) });
    }
    if (!closed) cancel = clock.after(RUN_EVERY_MS, () => void hourly());
  }
  cancel = clock.after(FIRST_RUN_MS, () => void hourly());

  return {
    holds,
    run,
    haltedByMs: () => haltedByMs,
    async state() {
      const lastRunMs = await holds.lastRunMs();
      return {
        days,
        last_run: lastRunMs === null ? null : new Date(lastRunMs).toISOString(),
        clock_believed: (await aheadMs()) <= CLOCK_AHEAD_MS_MAX,
        overdue: await overdue(),
      };
    },
    async settled() {
      await last;
    },
    async close() {
      closed = true;
      cancel();
      await last;
    },
  };
}

/** The floor holds whatever a config says. */
const daysOf = ({
  tracesDays,
  bodiesDays,
  auditDays,
}: CollectorConfig['retention']): Record<RetentionClass, number> => ({
  traces: tracesDays,
  bodies: bodiesDays,
  audit: Math.max(auditDays, AUDIT_DAYS_MIN),
});
