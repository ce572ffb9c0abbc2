// One answer for all who ask the same within a moment: many open consoles cost the store what one does.

import type { Clock } from '../../kit/clock.ts';

const KEYS_MAX = 200;

/** Answers from memory while the last answer for the key is younger than `freshMs`, or still under way. */
export function shared<K, T>(
  clock: Clock,
  freshMs: number,
  find: (key: K) => Promise<T>,
): (key: K) => Promise<T> {
  const answers = new Map<K, { readonly askedMs: number; readonly answer: Promise<T> }>();
  return (key) => {
    const known = answers.get(key);
    if (known && clock.monotonicMs() - known.askedMs < freshMs) return known.answer;
    const asked = { askedMs: clock.monotonicMs(), answer: find(key) };
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
