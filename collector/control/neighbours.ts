// Other collectors on the same Postgres: whom one of them was told to hold apart, whose mode it was told to set, must reach
// the sidecars of this one too. Each list has a mark in the database that is another after each change; all marks are
// one small question, asked again and again, for a connection that only listens would break unheard.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Database } from './database.ts';

/** What a collector keeps in memory of a list that all of them change. */
export interface SharedList {
  /** SQL: one text, another one after each change. */
  readonly mark: string;
  /** Reads the list anew, and tells whoever has to know when it is another. */
  reread(): Promise<void>;
}

export interface NeighboursOptions {
  readonly database: Database;
  readonly lists: readonly SharedList[];
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_EVERY_MS = 500;

/** Where the database is this collector's alone there is nobody to follow. */
export function followNeighbours({ database, lists, clock, log }: NeighboursOptions): { close(): void } {
  const question = `select array[${lists.map(({ mark }) => `(${mark})`).join(', ')}] as marks`;
  let known: readonly (string | null)[] = [];
  let lastFailure = '';
  let isClosed = false;
  let cancel: () => void = () => undefined;

  async function look(): Promise<void> {
    const [row] = await database.query<{ marks: readonly (string | null)[] }>(question, [], 'order');
    const marks = row!.marks;
    for (const [index, list] of lists.entries()) if (marks[index] !== known[index]) await list.reread();
    known = marks; // after: a list that could not be read is read at the next look
  }

  function lookAgain(): void {
    look().then(
      () => next(''),
      (failure: unknown) => next(sentenceOf(failure)),
    );
  }

  function next(failure: string): void {
    if (failure !== '' && failure !== lastFailure) log.warn('neighbours.not_followed', { failure });
    lastFailure = failure;
    if (!isClosed) cancel = clock.after(LOOK_EVERY_MS, lookAgain);
  }

  if (database.server !== null) lookAgain();
  return {
    close() {
      isClosed = true;
      cancel();
    },
  };
}
