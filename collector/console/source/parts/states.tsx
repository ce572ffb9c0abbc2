// What stands where an answer would: it is on its way, there is nothing, or it could not be had.

import type { ReactNode } from 'react';
import type { Answered } from '../use-answer.ts';

/** The answer's page, or what stands in its place; above an old answer, why it is old. */
export function Answer<T>({
  of: { answer, failure, again },
  children,
}: {
  readonly of: Answered<T>;
  readonly children: (answer: T) => ReactNode;
}): ReactNode {
  if (answer === undefined) {
    return failure ? <Failed sentence={failure.message} again={again} /> : <Loading />;
  }
  return (
    <>
      {failure && (
        <p className="stale" role="alert">
          {failure.message} What you see is the last answer.{' '}
          <button type="button" className="quiet" onClick={again}>
            Ask again
          </button>
        </p>
      )}
      {children(answer)}
    </>
  );
}

export function Loading(): ReactNode {
  return (
    <div className="loading" role="status">
      <span className="hidden">Loading</span>
      <div />
      <div />
      <div />
    </div>
  );
}

export function Failed({
  sentence,
  again,
}: {
  readonly sentence: string;
  readonly again: () => void;
}): ReactNode {
  return (
    <section className="notice" role="alert">
      <h2>That could not be shown</h2>
      <p>{sentence}</p>
      <button type="button" onClick={again}>
        Ask again
      </button>
    </section>
  );
}

export function Nothing({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <section className="notice">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
    </section>
  );
}
