// Spans of a trace in the order they are drawn: each below its parent, siblings by their start. A span whose parent is
// not there stands at the top: not everything that calls is traced.

import type { SpanLine } from '../../../contract/console.ts';

export interface Placed {
  readonly span: SpanLine;
  readonly depth: number;
}

export function placed(spans: readonly SpanLine[]): Placed[] {
  const known = new Set(spans.map(({ span_id }) => span_id));
  const below = new Map<string, SpanLine[]>();
  for (const span of spans) {
    const parent =
      known.has(span.parent_span_id) && span.parent_span_id !== span.span_id ? span.parent_span_id : '';
    below.set(parent, [...(below.get(parent) ?? []), span]);
  }
  const rows: Placed[] = [];
  const done = new Set<string>();
  const place = (span: SpanLine, depth: number) => {
    if (done.has(span.span_id)) return;
    done.add(span.span_id);
    rows.push({ span, depth });
    for (const child of below.get(span.span_id) ?? []) place(child, depth + 1);
  };
  for (const root of below.get('') ?? []) place(root, 0);
  // Parents in a ring hang from nothing; they are shown all the same.
  for (const span of spans) place(span, 0);
  return rows;
}
