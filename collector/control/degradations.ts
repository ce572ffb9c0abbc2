// Which agents were found to degrade, kept so that a restart finds nothing twice, and who may be held apart by rule.

import type { Database } from './database.ts';

export const DEGRADATIONS = ['failures', 'loop', 'tokens'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

export interface Degradations {
  known(): Promise<readonly { readonly agent: string; readonly kind: Degradation }[]>;
  /** False where it is known already. `details` is for whoever reads the control events. */
  note(agent: string, kind: Degradation, evidence: string, details: object): Promise<boolean>;
  /** False while the agent is held apart. */
  end(agent: string, kind: Degradation): Promise<boolean>;
  /** Whether a rule may hold this agent apart now: no second time within `restMs`. */
  claim(agent: string, restMs: number): Promise<boolean>;
}

export function createDegradations(database: Database, nowMs: () => number): Degradations {
  const yes = async (call: string, values: readonly unknown[]): Promise<boolean> => {
    const [row] = await database.query<{ yes: boolean }>(`select ${call} as yes`, values);
    return row?.yes === true;
  };
  return {
    async known() {
      const rows = await database.query<{ agent: string; kind: string }>(
        'select agent, kind from degradations',
      );
      return rows.flatMap(({ agent, kind }) => {
        const found = DEGRADATIONS.find((each) => each === kind);
        return found ? [{ agent, kind: found }] : [];
      });
    },
    note: (agent, kind, evidence, details) =>
      yes('note_degradation($1, $2, $3, $4, $5)', [agent, kind, evidence, JSON.stringify(details), nowMs()]),
    end: (agent, kind) => yes('end_degradation($1, $2, $3)', [agent, kind, nowMs()]),
    claim: (agent, restMs) => yes('claim_rule_quarantine($1, $2, $3)', [agent, restMs, nowMs()]),
  };
}
