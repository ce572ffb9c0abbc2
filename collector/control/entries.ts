// The ledger's book as people read it: its entries in words, leases that were settled late, and whether it all adds up.

import type { LateLease, LedgerEntry } from '../../contract/ledger-book.ts';
import type { Database } from './database.ts';
import type { Row } from './pglite.ts';

/** All null: every entry. `account` is `level/name`, as `agent/trend-scout`. */
export interface EntriesAsked {
  readonly agent: string | null;
  readonly account: string | null;
  readonly lease: string | null;
  readonly limit: number;
}

const LATE_MAX = 1_000;

/** The newest first. */
export async function entriesOf(
  database: Database,
  { agent, account, lease, limit }: EntriesAsked,
): Promise<LedgerEntry[]> {
  const rows = await database.query<LedgerEntry & Row>(
    `select e.entry_id::text as id, e.at::text as at, e.kind, coalesce(e.lease_id, '') as lease,
       coalesce(l.agent, '') as agent, coalesce(l.instance, '') as instance, coalesce(e.unit, '') as unit,
       e.granted::text as granted, e.posted::text as posted, e.why,
       coalesce((select string_agg(format('%s/%s by the %s', a.level, a.name, a.budget_window), ', ' order by a.account_id)
         from accounts a where a.account_id = any (coalesce(e.account_ids, array[e.account_id]))), '') as accounts
     from entries e left join leases l using (lease_id)
     where ($1::text is null or l.agent = $1) and ($2::text is null or e.lease_id = $2)
       and ($3::text is null or exists (select from accounts a where a.level || '/' || a.name = $3
         and a.account_id = any (coalesce(e.account_ids, array[e.account_id]))))
     order by e.entry_id desc limit $4`,
    [agent, lease, account, limit],
  );
  return rows.map((row) => ({ ...row, at: isoOf(row.at) }));
}

/** The latest first: what came after a lease had expired or ended, and what became of its write-off. */
export async function lateLeases(database: Database): Promise<LateLease[]> {
  const rows = await database.query<LateLease & Row>(
    `select l.lease_id as lease, l.agent, l.instance, l.scope, l.state, l.expires_at::text as expired_at,
       l.late_at::text as late_at, s.unit, s.posted::text as posted,
       (select coalesce(sum(e.posted), 0)::text from entries e where e.lease_id = l.lease_id and e.unit = s.unit
          and e.kind = 'written_off') as written_off,
       (select coalesce(sum(e.posted), 0)::text from entries e where e.lease_id = l.lease_id and e.unit = s.unit
          and e.kind in ('correction', 'overrun')) as corrected
     from leases l join slices s using (lease_id)
     where l.late_at is not null and s.posted > 0 order by l.late_at desc, l.lease_id, s.unit limit $1`,
    [LATE_MAX],
  );
  return rows.map((row) => ({ ...row, expired_at: isoOf(row.expired_at), late_at: isoOf(row.late_at) }));
}

/** What does not add up, in words; empty when all does. Reads the whole book. */
export async function ledgerProblems(database: Database): Promise<string[]> {
  const rows = await database.query<{ problem: string }>('select problem from ledger_problems()');
  return rows.map(({ problem }) => problem);
}

const isoOf = (ms: string): string => new Date(Number(ms)).toISOString();
