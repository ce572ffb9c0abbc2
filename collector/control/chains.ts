// A sidecar says that it left a stream of records for another, and why: noted once for each stream.

import type { Heartbeat } from '../../contract/budget.ts';
import type { Database } from './database.ts';

/** Does nothing for a heartbeat that says nothing of it. */
export async function noteChainBegan(
  database: Database,
  { name, instance, stream, began }: Heartbeat,
  actor: string,
  nowMs: number,
): Promise<void> {
  if (stream === undefined || began === undefined) return;
  await database.query('select note_chain_begun($1, $2, $3, $4, $5, $6)', [
    name,
    instance,
    stream,
    JSON.stringify(began),
    actor,
    nowMs,
  ]);
}
