// What alerts ask of the ledger and nobody else does: who left without settling.

import type { Database } from './database.ts';

/** Instances, `agent/instance`, that hold a lease: one that was stopped properly has given it back. */
export async function leaseHolders(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ holder: string }>(
    `select distinct agent || '/' || instance as holder from leases where state = 'open' limit 20000`,
  );
  return new Set(rows.map(({ holder }) => holder));
}
