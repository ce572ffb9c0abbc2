// The ledger's queue: the asks of many sidecars go to the database together, in order.

import type { LeaseAnswer, Obstacle, Recall } from '../../contract/budget.ts';
import type { LevelRow } from './budget-levels.ts';
import type { Database } from './database.ts';
import { createTogether, type Together } from './together.ts';

/** What the SQL function budget_step is given: the ask, and all it must know of the world outside. */
export type Step = Readonly<Record<string, unknown>>;

/** What it answers. */
export interface StepAnswer {
  readonly outcome: LeaseAnswer['outcome'];
  readonly lease?: string;
  readonly epoch?: number;
  readonly granted?: LeaseAnswer['granted'];
  readonly expires_at?: number;
  readonly obstacle?: (Omit<Obstacle, 'resetsAt'> & { readonly resetsAt: number | null }) | null;
  readonly recalls?: readonly Recall[];
  readonly levels?: readonly LevelRow[] | null;
}

/** The obstacle as sidecars and callers are told of it. */
export const obstacleMessage = (obstacle: NonNullable<StepAnswer['obstacle']>): Obstacle => ({
  ...obstacle,
  resetsAt: obstacle.resetsAt === null ? null : new Date(obstacle.resetsAt).toISOString(),
});

export type Steps = Together<Step, StepAnswer>;

export function createSteps(database: Database): Steps {
  return createTogether(async (steps) => {
    const rows = await database.query<{ answer: StepAnswer }>(
      'select budget_step(step) as answer from jsonb_array_elements($1::jsonb) as step',
      [JSON.stringify(steps)],
      'money',
    );
    return rows.map(({ answer }) => answer);
  }, 'Too many asks wait for the ledger.');
}
