// What a court, or whoever fears one, wants kept beyond its time. A hold is never deleted: that it was there, and who ended
// it, is part of the answer.

import { randomBytes } from 'node:crypto';
import type { LegalHold, LegalHoldOrder } from '../../contract/retention.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Database } from './database.ts';
import type { Row } from './pglite.ts';

export interface LegalHolds {
  add(order: LegalHoldOrder, actor: string): Promise<LegalHold>;
  /** Null when none of that id is in force. */
  end(id: string, actor: string, reason: string): Promise<LegalHold | null>;
  /** The newest first; those in force alone, unless `ended` are wanted too. */
  list(ended: boolean): Promise<LegalHold[]>;
  /** When old rows were looked for last, milliseconds since 1970; null: never. */
  lastRunMs(): Promise<number | null>;
  noteRun(atMs: number): Promise<void>;
}

interface Kept extends Row {
  readonly hold_id: string;
  readonly agent: string;
  readonly held_from: string | null;
  readonly held_until: string | null;
  readonly reason: string;
  readonly set_at: string;
  readonly actor: string;
  readonly ended_at: string | null;
  readonly ended_by: string;
  readonly end_reason: string;
}

const COLUMNS = `hold_id, agent, held_from::text, held_until::text, reason, set_at::text, actor, ended_at::text, ended_by,
  end_reason`;

export function createLegalHolds(database: Database, clock: Clock): LegalHolds {
  return {
    async add({ agent, from, until, reason }, actor) {
      const id = randomBytes(6).toString('hex');
      const [row] = await database.query<Kept>(
        `with made as (
           insert into legal_holds (hold_id, agent, held_from, held_until, reason, set_at, actor)
           values ($1, $2, $3, $4, $5, $6, $7) returning *
         ), noted as (
           select note_event('legal_hold_set', $7, $2, $5,
             jsonb_build_object('id', $1::text, 'from', $3::bigint, 'until', $4::bigint), $6)
         ) select ${COLUMNS} from made, noted`,
        [id, agent, msOf(from), msOf(until), reason, clock.nowMs(), actor],
      );
      return asHold(row!);
    },
    async end(id, actor, reason) {
      const [row] = await database.query<Kept>(
        `with gone as (
           update legal_holds set ended_at = $4, ended_by = $2, end_reason = $3
           where hold_id = $1 and ended_at is null returning *
         ), noted as (
           select note_event('legal_hold_ended', $2, gone.agent, $3, jsonb_build_object('id', gone.hold_id), $4) from gone
         ) select ${COLUMNS} from gone, noted`,
        [id, actor, reason, clock.nowMs()],
      );
      return row ? asHold(row) : null;
    },
    async list(ended) {
      const rows = await database.query<Kept>(
        `select ${COLUMNS} from legal_holds where $1 or ended_at is null order by set_at desc, hold_id`,
        [ended],
      );
      return rows.map(asHold);
    },
    async lastRunMs() {
      const [row] = await database.query<{ at: string }>(
        'select last_run_at::text as at from retention_clock',
      );
      return row ? Number(row.at) : null;
    },
    async noteRun(atMs) {
      await database.query(
        `insert into retention_clock (last_run_at) values ($1)
         on conflict (one) do update set last_run_at = excluded.last_run_at`,
        [atMs],
      );
    },
  };
}

const msOf = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso));
const isoOf = (ms: string): string => new Date(Number(ms)).toISOString();
const isoOrNull = (ms: string | null): string | null => (ms === null ? null : isoOf(ms));

function asHold({ hold_id, held_from, held_until, set_at, ended_at, ...row }: Kept): LegalHold {
  return {
    id: hold_id,
    agent: row.agent,
    from: isoOrNull(held_from),
    until: isoOrNull(held_until),
    reason: row.reason,
    set_at: isoOf(set_at),
    actor: row.actor,
    ended_at: isoOrNull(ended_at),
    ended_by: row.ended_by,
    end_reason: row.end_reason,
  };
}
