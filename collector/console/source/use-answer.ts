// One question and its answer over time: asked again with each pulse, one at a time. An answer that cannot be renewed
// stays on the page, marked as old.

import { useEffect, useRef, useState } from 'react';
import { AskFailed, ask } from './ask.ts';
import { endSession } from './session.ts';

export interface Answered<T> {
  /** Undefined until the first answer. */
  readonly answer: T | undefined;
  /** Why the last question was not answered; null when it was. */
  readonly failure: AskFailed | null;
  /** Asks now. */
  again(): void;
}

export function useAnswer<T>(path: string, pulse: number): Answered<T> {
  const [state, setState] = useState<{ path: string; answer?: T; failure: AskFailed | null }>({
    path,
    failure: null,
  });
  const [asked, setAsked] = useState(0);
  const busy = useRef('');
  const missed = useRef(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a pulse asks the same question again
  useEffect(() => {
    if (busy.current === path) {
      missed.current = true;
      return;
    }
    busy.current = path;
    const settle = (next: (before: T | undefined) => { answer?: T; failure: AskFailed | null }) => {
      if (busy.current !== path) return;
      busy.current = '';
      setState((before) => ({ path, ...next(before.path === path ? before.answer : undefined) }));
      if (missed.current) setAsked((count) => count + 1);
      missed.current = false;
    };
    ask<T>(path).then(
      (answer) => settle(() => ({ answer, failure: null })),
      (thrown: unknown) => {
        const failure = thrown instanceof AskFailed ? thrown : new AskFailed(0, String(thrown));
        if (failure.status === 401) endSession();
        settle((before) => ({ ...(before === undefined ? {} : { answer: before }), failure }));
      },
    );
  }, [path, pulse, asked]);

  const current = state.path === path ? state : { failure: null };
  return {
    answer: 'answer' in current ? current.answer : undefined,
    failure: current.failure,
    again: () => setAsked((count) => count + 1),
  };
}
