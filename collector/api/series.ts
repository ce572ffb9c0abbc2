// A series over a range of time: which steps it has, and the empty ones filled in, so that a chart has no holes.

import { NO_SUMS, RANGES, type Range, type Step, type Sums } from '../../contract/console.ts';

/** Whole steps, the last one still running. Seconds since 1970. */
export interface Steps {
  readonly from: number;
  readonly until: number;
  readonly step: number;
}

export function stepsOf(range: Range, nowMs: number): Steps {
  const { seconds, stepSeconds: step } = RANGES[range];
  const until = (Math.floor(nowMs / 1000 / step) + 1) * step;
  return { from: until - seconds, until, step };
}

/** `rows` hold the start of their step as `at`, seconds since 1970. */
export function filled(
  rows: readonly (Sums & { readonly at: number })[],
  { from, until, step }: Steps,
): Step[] {
  const known = new Map(rows.map(({ at, ...sums }) => [at, sums]));
  const steps: Step[] = [];
  for (let at = from; at < until; at += step) {
    steps.push({ time: new Date(at * 1000).toISOString(), ...(known.get(at) ?? NO_SUMS) });
  }
  return steps;
}
