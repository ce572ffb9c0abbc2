// Which policy every instance runs, and since when: kept in the control database, told to the store for ever.

import { hostname } from 'node:os';
import type { Config } from '../../contract/config/config.ts';
import { type PolicyReport, relativeSources } from '../../contract/policy.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { operator } from '../../kit/operator.ts';
import type { Database } from './database.ts';

/** Under this name, an agent of no name, stands the collector's own. */
const OWN_AGENT = '';

/** The same report again is no news. */
export async function notePolicy(
  database: Database,
  fleet: string,
  report: PolicyReport,
  nowMs: number,
): Promise<void> {
  const { agent, instance, digest, sources, loaded_at, by } = report;
  await database.query('select note_policy($1, $2, $3, $4, $5, $6, $7, $8)', [
    agent,
    instance,
    digest,
    fleet,
    JSON.stringify(sources),
    loaded_at,
    by,
    nowMs,
  ]);
}

/** The collector's own config, which rules budgets, prices and owners. Nothing waits for it. */
export async function noteOwnPolicy(
  use: { readonly database: Database; readonly clock: Clock; readonly log: Log },
  { digest, fleet, sources }: Config,
): Promise<void> {
  const nowMs = use.clock.nowMs();
  const by = operator();
  const texts = relativeSources(sources);
  const instance = `collector@${hostname()}`;
  const report = { digest, agent: OWN_AGENT, instance, loaded_at: nowMs, by, sources: texts };
  try {
    await notePolicy(use.database, fleet, report, nowMs);
  } catch (failure) {
    use.log.error('policy.not_noted', { digest, failure: sentenceOf(failure) });
  }
}
