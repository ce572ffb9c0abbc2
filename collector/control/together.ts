// What arrives while one statement is under way waits here, and then goes to the database in one statement, in order. A
// statement costs more than what it does, so many who ask at once are served several times as fast as one by one.

import { invariant } from '../../kit/invariant.ts';
import { DatabaseFailed, DatabaseUnavailable } from './failures.ts';

export interface Together<Item, Answer> {
  /** Throws DatabaseUnavailable (it may have happened) or DatabaseFailed (it did not). */
  run(item: Item): Promise<Answer>;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  resolve(answer: Answer): void;
  reject(failure: unknown): void;
}

const TOGETHER_MAX = 64;
const WAITING_MAX = 10_000;

/** `statement` does all or none, and has an answer for each. `full` is said where too many wait. */
export function createTogether<Item, Answer>(
  statement: (items: readonly Item[]) => Promise<readonly Answer[]>,
  full: string,
): Together<Item, Answer> {
  const waiting: Waiting<Item, Answer>[] = [];
  let running = false;

  async function drain(): Promise<void> {
    running = true;
    while (waiting.length > 0) await settle(waiting.splice(0, TOGETHER_MAX));
    running = false;
  }

  /** When one of them breaks the statement, none has happened, and each is tried on its own. */
  async function settle(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await statement(batch.map(({ item }) => item));
      invariant(answers.length === batch.length, 'each has an answer');
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i]!);
    } catch (failure) {
      if (batch.length > 1 && failure instanceof DatabaseFailed) for (const one of batch) await settle([one]);
      else for (const { reject } of batch) reject(failure);
    }
  }

  return {
    run(item) {
      if (waiting.length >= WAITING_MAX) return Promise.reject(new DatabaseUnavailable(full));
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (!running) void drain();
      });
    },
  };
}
