// Which policy every instance runs, and since when: kept in the control database, told to the store for ever.

import { hostname } from 'node:os';
import type { Config } from '../../contract/config/config.ts';
import { type PolicyReport, relativeSources } from '../../contract/policy.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { operator } from '../../kit/operator.ts';
import type { Database } from './database.ts';
import { createTogether } from './together.ts';

/** Under this name, an agent of no name, stands the collector's own. */
const OWN_AGENT = '';

/** A fleet that starts reports one policy of each of its agents: its text goes to the database with the first of them. */
export interface Policies {
  /** The same report again is no news. */
  note(report: PolicyReport, fleet: string): Promise<void>;
}

const DIGESTS_MAX = 1_000;

export function createPolicies(database: Database, clock: Clock): Policies {
  /** Whose text the database has. */
  const known = new Set<string>();

  const statement = async (
    reports: readonly (PolicyReport & { fleet: string })[],
  ): Promise<readonly true[]> => {
    const told = new Set(known);
    const messages = reports.map((report) => {
      const sources = told.has(report.digest) ? [] : report.sources;
      if (sources.length > 0) told.add(report.digest);
      return { ...report, sources };
    });
    await database.query(
      `select note_policy(r->>'agent', r->>'instance', r->>'digest', r->>'fleet', r->'sources',
         (r->>'loaded_at')::bigint, r->>'by', $2)
       from jsonb_array_elements($1::jsonb) as r`,
      [JSON.stringify(messages), clock.nowMs()],
    );
    if (told.size > DIGESTS_MAX) known.clear();
    else for (const digest of told) known.add(digest);
    return reports.map(() => true);
  };
  const noted = createTogether(statement, 'Too many policies wait for the control database.');

  return {
    async note(report, fleet) {
      await noted.run({ ...report, fleet });
    },
  };
}

/** The collector's own config, which rules budgets, prices and owners. Nothing waits for it. */
export async function noteOwnPolicy(
  use: { readonly policies: Policies; readonly clock: Clock; readonly log: Log },
  { digest, fleet, sources }: Config,
): Promise<void> {
  const nowMs = use.clock.nowMs();
  const by = operator();
  const texts = relativeSources(sources);
  const instance = `collector@${hostname()}`;
  const report = { digest, agent: OWN_AGENT, instance, loaded_at: nowMs, by, sources: texts };
  try {
    await use.policies.note(report, fleet);
  } catch (failure) {
    use.log.error('policy.not_noted', { digest, failure: sentenceOf(failure) });
  }
}
