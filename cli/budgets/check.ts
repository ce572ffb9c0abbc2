// `outrider budgets check`: the ledger recomputed from its own entries.

import type { CollectorClient } from '../collector-client.ts';
import type { Io } from '../command.ts';

/** Throws when something does not add up, once it was listed. */
export async function checkLedger(collector: CollectorClient, json: boolean, io: Io): Promise<void> {
  const answer = await collector.get<{ problems: readonly string[] }>('/v1/budgets/check');
  const { problems } = answer;
  if (json) io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
  else if (problems.length > 0) io.stdout(`${problems.join('\n')}\n`);
  else io.stdout('Every account equals its entries and its slices, and none is above its limit.\n');
  if (problems.length > 0) throw new Error(`The ledger does not add up in ${problems.length} places.`);
}
