// One answer for all who ask the same within a moment: many open consoles cost the store what one does.

import type { Clock } from '../../kit/clock.ts';

/** `find`, or its answer of less than `freshMs` ago to the same key, or the one still under way. */
export type Shared<T> = (key: string, freshMs: number, find: () => Promise<T>) => Promise<T>;

const KEYS_MAX = 200;

export function shared<T>(clock: Clock): Shared<T> {
  const answers = new Map<string, { readonly askedMs: number; readonly answer: Promise<T> }>();
  return (key, freshMs, find) => {
    const known = answers.get(key);
    if (known && clock.monotonicMs() - known.askedMs < freshMs) return known.answer;
    const asked = { askedMs: clock.monotonicMs(), answer: find() };
    answers.delete(key);
    answers.set(key, asked);
    if (answers.size > KEYS_MAX) answers.delete(answers.keys().next().value!);
    // A failure is told to those who wait for it, and asked again by the next.
    asked.answer.catch(() => {
      if (answers.get(key) === asked) answers.delete(key);
    });
    return asked.answer;
  };
}
