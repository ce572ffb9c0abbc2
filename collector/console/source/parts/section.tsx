// A part of a page with a heading of its own, and the count of what is in it.

import { type ReactNode, useId } from 'react';
import { count } from '../format.ts';

export function Section({
  title,
  n,
  end,
  children,
}: {
  readonly title: string;
  readonly n?: number;
  readonly end?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <header>
        <h2 id={id}>
          {title}
          {n !== undefined && <span className="section-count"> {count(n)}</span>}
        </h2>
        {end}
      </header>
      {children}
    </section>
  );
}
