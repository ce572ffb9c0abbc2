// Alerts in the control database: incidents, silences, and the outbox of what the channels must be told. A change and
// what is told of it are one transaction; whoever dies between the two has done both or neither.

import type { Incident, Matchers, Send, Silence, Told } from '../../contract/alert.ts';
import type { Database } from './database.ts';
import { DatabaseFailed } from './failures.ts';
import type { Row } from './pglite.ts';

// Milliseconds fit a double exactly; a bigint would come as text.
const INCIDENT = `incident_id::text as id, alert, key, severity, agent, task, owner, summary, value, details,
  since::float8 as "sinceMs", seen_at::float8 as "seenMs", fired_at::float8 as "firedMs", told_at::float8 as "toldMs",
  resolved_at::float8 as "resolvedMs", acknowledged_by as "acknowledgedBy"`;
const SEND = `send_id::text as id, channel, page, enqueued_at::float8 as "enqueuedMs", attempts, state, answer`;
const SILENCE = 'silence_id::text as id, matchers, reason, made_by as by, ends_at::float8 as "endsMs"';
const OPEN_MAX = 20_000;
const KEEP_RESOLVED_MS = 90 * 86_400_000;
const KEEP_SENT_MS = 7 * 86_400_000;

/** One incident as it now is, and what is told of it. */
export interface KeptStep {
  readonly incident: Incident;
  readonly change: string;
  readonly sends: readonly Told[];
}

export function createAlertBook(database: Database) {
  async function keepTogether(steps: readonly KeptStep[], nowMs: number): Promise<void> {
    await database.query('select keep_incidents($1::jsonb, $2)', [JSON.stringify(steps), nowMs]);
  }

  return {
    /** Unresolved: those that fire, and those only found so far. */
    open: () =>
      database.query<Incident & Row>(
        `select ${INCIDENT} from alert_incidents where resolved_at is null order by incident_id limit $1`,
        [OPEN_MAX],
      ),

    history: (count: number) =>
      database.query<Incident & Row>(
        `select ${INCIDENT} from alert_incidents where resolved_at is not null order by resolved_at desc limit $1`,
        [count],
      ),

    /** When each key of these alerts last fired as critical, since `sinceMs`, and is over. */
    lastFired: (alerts: readonly string[], sinceMs: number) =>
      database.query<{ alert: string; key: string; atMs: number }>(
        `select alert, key, max(fired_at)::float8 as "atMs" from alert_incidents
         where resolved_at >= $2 and alert = any ($1) and severity = 'critical' and fired_at >= $2
         group by alert, key`,
        [alerts, sinceMs],
      ),

    /** All together; when one of them breaks that, each on its own, and its failure is thrown when all have been tried. */
    async keep(steps: readonly KeptStep[], nowMs: number): Promise<void> {
      try {
        await keepTogether(steps, nowMs);
      } catch (failure) {
        if (!(failure instanceof DatabaseFailed) || steps.length === 1) throw failure;
        const kept = await Promise.allSettled(steps.map((step) => keepTogether([step], nowMs)));
        for (const one of kept) if (one.status === 'rejected') throw one.reason;
      }
    },

    acknowledge: async (ask: {
      alert: string;
      key: string | null;
      by: string;
      reason: string;
      nowMs: number;
    }) =>
      (
        await database.query('select * from acknowledge_alert($1, $2, $3, $4, $5)', [
          ask.alert,
          ask.key,
          ask.by,
          ask.reason,
          ask.nowMs,
        ])
      ).length,

    silences: (nowMs: number) =>
      database.query<Silence & Row>(
        `select ${SILENCE} from alert_silences where ends_at > $1 order by silence_id limit 1000`,
        [nowMs],
      ),

    silence: async (ask: {
      matchers: Matchers;
      reason: string;
      by: string;
      nowMs: number;
      endsMs: number;
    }) => {
      const [row] = await database.query<{ id: string }>(
        `with made as (
           insert into alert_silences (matchers, reason, made_by, made_at, ends_at) values ($1, $2, $3, $4, $5)
           returning silence_id, matchers)
         select silence_id::text as id, note_event('alert_silenced', $3, coalesce(matchers ->> 'agent', ''), $2,
           matchers || jsonb_build_object('until', $5::bigint), $4) from made`,
        [JSON.stringify(ask.matchers), ask.reason, ask.by, ask.nowMs, ask.endsMs],
      );
      return row!.id;
    },

    /** False when there is no such silence in force. */
    endSilence: async (id: string, by: string, nowMs: number): Promise<boolean> =>
      (
        await database.query(
          `with ended as (
             update alert_silences set ends_at = $2 where silence_id = $1 and ends_at > $2 returning matchers)
           select note_event('alert_silenced', $3, coalesce(matchers ->> 'agent', ''), 'ended early',
             matchers || jsonb_build_object('until', $2::bigint), $2) from ended`,
          [id, nowMs, by],
        )
      ).length > 0,

    /** Into the outbox, without an incident: a test, a digest. With `mark`, only if that was not done since `markedMs`. */
    enqueue: async (
      sends: readonly Told[],
      nowMs: number,
      mark?: { name: string; markedMs: number },
    ): Promise<readonly string[]> => {
      const rows = await database.query<{ id: string }>(
        `with marked as (
           insert into alert_marks as m (name, at) select $3::text, $2 where $3::text is not null
           on conflict (name) do update set at = excluded.at where m.at < $4 returning 1)
         insert into alert_sends (channel, dedup_key, page, enqueued_at, next_at)
         select s ->> 'channel', s -> 'page' ->> 'dedup_key', s -> 'page', $2, $2 from jsonb_array_elements($1::jsonb) as s
         where $3::text is null or exists (select from marked)
         returning send_id::text as id`,
        [JSON.stringify(sends), nowMs, mark?.name ?? null, mark?.markedMs ?? 0],
      );
      return rows.map(({ id }) => id);
    },

    markedAt: async (name: string): Promise<number | null> => {
      const [row] = await database.query<{ at: number }>(
        'select at::float8 from alert_marks where name = $1',
        [name],
      );
      return row?.at ?? null;
    },

    mark: async (name: string, nowMs: number): Promise<void> => {
      await database.query('insert into alert_marks (name, at) values ($1, $2) on conflict do nothing', [
        name,
        nowMs,
      ]);
    },

    /**
     * Due now, in order: of one channel and incident only the oldest, so that nothing is resolved before it was told; and
     * channels in turn, so that one that answers nobody keeps no other waiting.
     */
    due: (nowMs: number, count: number) =>
      database.query<Send & Row>(
        `select id, channel, page, "enqueuedMs", attempts, state, answer from (
           select *, row_number() over (partition by channel order by "enqueuedMs") as turn from (
             select distinct on (channel, dedup_key) ${SEND}, next_at from alert_sends
             where state = 'waiting' order by channel, dedup_key, send_id) as oldest
           where next_at <= $1) as queued
         order by turn, "enqueuedMs" limit $2`,
        [nowMs, count],
      ),

    sends: (ids: readonly string[]) =>
      database.query<Send & Row>(
        `select ${SEND} from alert_sends where send_id = any ($1) order by send_id`,
        [ids],
      ),

    /** Not delivered yet, or given up, lately. */
    troubled: (nowMs: number) =>
      database.query<Send & Row>(
        `select ${SEND} from alert_sends where (state = 'waiting' and attempts > 0) or (state = 'failed' and ended_at > $1)
         order by send_id desc limit 100`,
        [nowMs - 86_400_000],
      ),

    /** What came of one attempt. */
    settle: async (
      id: string,
      end: { state: Send['state']; answer: string; nextMs: number },
      nowMs: number,
    ): Promise<void> => {
      await database.query(
        `update alert_sends set attempts = attempts + 1, state = $2, answer = $3, next_at = $4,
           ended_at = case when $2 = 'waiting' then null else $5::bigint end where send_id = $1`,
        [id, end.state, end.answer, end.nextMs, nowMs],
      );
    },

    tidy: async (nowMs: number): Promise<void> => {
      await database.query(`delete from alert_sends where state <> 'waiting' and ended_at < $1`, [
        nowMs - KEEP_SENT_MS,
      ]);
      await database.query('delete from alert_incidents where resolved_at < $1', [nowMs - KEEP_RESOLVED_MS]);
      await database.query('delete from alert_silences where ends_at < $1', [nowMs - KEEP_RESOLVED_MS]);
    },
  };
}

export type AlertBook = ReturnType<typeof createAlertBook>;
