// The ledger's queue: asks wait here while one statement is under way, and then go to the database together, in order.
// A statement costs more than a step, so many sidecars asking at once are served several times as fast as one by one.

import type { LeaseAnswer, Obstacle, Recall } from '../../contract/budget.ts';
import { invariant } from '../../kit/invariant.ts';
import type { LevelRow } from './budget-levels.ts';
import type { Database } from './database.ts';
import { DatabaseFailed, DatabaseUnavailable } from './failures.ts';

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

export interface Steps {
  /** Throws DatabaseUnavailable (it may have happened) or DatabaseFailed (it did not). */
  run(step: Step): Promise<StepAnswer>;
}

interface Waiting {
  readonly step: Step;
  resolve(answer: StepAnswer): void;
  reject(failure: unknown): void;
}

const TOGETHER_MAX = 64;
const WAITING_MAX = 10_000;

export function createSteps(database: Database): Steps {
  const waiting: Waiting[] = [];
  let running = false;

  async function drain(): Promise<void> {
    running = true;
    while (waiting.length > 0) await settle(waiting.splice(0, TOGETHER_MAX));
    running = false;
  }

  /** One transaction for all; when one of them breaks it, none has happened, and each is tried on its own. */
  async function settle(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await askAll(batch.map(({ step }) => step));
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i]!);
    } catch (failure) {
      if (batch.length > 1 && failure instanceof DatabaseFailed) for (const one of batch) await settle([one]);
      else for (const { reject } of batch) reject(failure);
    }
  }

  async function askAll(steps: readonly Step[]): Promise<readonly StepAnswer[]> {
    const rows = await database.query<{ answer: StepAnswer }>(
      'select budget_step(step) as answer from jsonb_array_elements($1::jsonb) as step',
      [JSON.stringify(steps)],
    );
    invariant(rows.length === steps.length, 'every step has an answer');
    return rows.map(({ answer }) => answer);
  }

  return {
    run(step) {
      if (waiting.length >= WAITING_MAX)
        return Promise.reject(new DatabaseUnavailable('Too many asks wait for the ledger.'));
      return new Promise((resolve, reject) => {
        waiting.push({ step, resolve, reject });
        if (!running) void drain();
      });
    },
  };
}
