// What alerts ask of the control database and nobody else does: who left without settling, and what waits for a person.

import type { Database } from './database.ts';

/** Instances, `agent/instance`, that hold a lease: one that was stopped properly has given it back. */
export async function leaseHolders(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ holder: string }>(
    `select distinct agent || '/' || instance as holder from leases where state = 'open' limit 20000`,
  );
  return new Set(rows.map(({ holder }) => holder));
}

export interface OpenLetters {
  readonly agent: string;
  readonly upstream: string;
  readonly letters: number;
  /** Failed calls they stand for. */
  readonly calls: number;
  /** Theirs, or `mixed`. */
  readonly kind: string;
}

/** Open dead letters by agent and upstream. */
export async function openLetters(database: Database): Promise<readonly OpenLetters[]> {
  const rows = await database.query<Record<'agent' | 'upstream' | 'letters' | 'calls' | 'kind', string>>(
    `select agent, upstream, count(*)::text as letters, sum(calls + folded)::text as calls,
       case when count(distinct kind) = 1 then min(kind) else 'mixed' end as kind
     from dead_letters where state = 'open' group by agent, upstream order by agent, upstream limit 500`,
  );
  return rows.map(({ letters, calls, ...row }) => ({
    ...row,
    letters: Number(letters),
    calls: Number(calls),
  }));
}
