// What alerts ask of the ledger and nobody else does: which accounts turned a call away, and who left without settling.

import type { Database } from './database.ts';

export interface AccountName {
  readonly level: string;
  readonly name: string;
  readonly window: string;
  readonly unit: string;
}

/** Accounts whose money already posted was the reason of a sidecar's last refusal, and still is. */
export async function accountsInTheWay(database: Database, nowMs: number): Promise<readonly AccountName[]> {
  return database.query<{ level: string; name: string; window: string; unit: string }>(
    `select distinct a.level, a.name, a.budget_window as "window", a.unit
     from leases l join accounts a on a.level = l.obstacle ->> 'level' and a.name = l.obstacle ->> 'name'
       and a.budget_window = l.obstacle ->> 'window' and a.unit = l.obstacle ->> 'unit'
     where l.state = 'open' and l.outcome = 'over_budget' and (a.ends_at is null or a.ends_at > $1)
       and a.posted + (l.obstacle ->> 'needed')::numeric > a.spend_limit
     limit 10000`,
    [nowMs],
  );
}

/** Instances, `agent/instance`, that hold a lease: one that was stopped properly has given it back. */
export async function leaseHolders(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ holder: string }>(
    `select distinct agent || '/' || instance as holder from leases where state = 'open' limit 20000`,
  );
  return new Set(rows.map(({ holder }) => holder));
}
