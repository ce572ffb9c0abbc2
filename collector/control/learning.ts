// A ledger restored from a backup does not know what it granted since. It grants nothing until every such lease has
// expired, and takes what their holders report for true.

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OFFLINE_LEASE_MS } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import { leaveChain } from './control-chain.ts';
import type { Database } from './database.ts';

/** Who notes what nobody asked for. */
const ACTOR = 'collector';
const MARK = 'restored';
const WHY = 'restored from a backup';

export interface LearningOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  config(): Config;
}

/** Told by a restore, in the collector's own folder; the next start learns. */
export function markRestored(directory: string): void {
  writeFileSync(join(directory, MARK), `${WHY}\n`);
}

export async function learnIfRestored(options: LearningOptions, directory: string): Promise<void> {
  if (!existsSync(join(directory, MARK))) return;
  await learn(options, ACTOR, WHY);
  rmSync(join(directory, MARK));
}

/** Until when nothing is granted: the longest life of a lease that calls draw on while the ledger can be asked. */
export async function learn(
  { database, config, clock, log }: LearningOptions,
  by: string,
  reason: string,
): Promise<number> {
  const { leaseMs, offlineNanodollars } = config().money;
  const nowMs = clock.nowMs();
  const untilMs = nowMs + (offlineNanodollars > 0n ? OFFLINE_LEASE_MS : leaseMs);
  await database.query('select learn($1, $2, $3, $4, $5)', [
    untilMs,
    nowMs + OFFLINE_LEASE_MS,
    by,
    reason,
    nowMs,
  ]);
  await leaveChain(database);
  log.warn('ledger_learning', { until: new Date(untilMs).toISOString(), by, reason });
  return untilMs;
}

/** Grants from now on, although leases of before may still be spent. */
export async function endLearning(
  { database, clock, log }: LearningOptions,
  by: string,
  reason: string,
): Promise<void> {
  const nowMs = clock.nowMs();
  await database.query('select learn($1, $2, $3, $4, $1)', [nowMs, nowMs + OFFLINE_LEASE_MS, by, reason]);
  log.warn('ledger_learned', { by, reason });
}
