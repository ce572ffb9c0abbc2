// Counting on a call's way is one addition to a cell that was looked up before. What a scrape sees is made when it is asked
// for.

import { familyOf, METRICS, type MetricName } from '../../contract/metrics.ts';
import { type Family, histogramSamples } from '../../kit/metrics.ts';

/** One series of a counter. */
export interface Cell {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
}

/** One series of a histogram; `counts` has one more than `bounds`, for what lies above the last. */
export interface Buckets {
  readonly labels: Readonly<Record<string, string>>;
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum: number;
}

/** The series of one metric, each made when first asked for; `labels` in the order of the metric's declaration. */
export interface Tally<Series> {
  at(...labels: string[]): Series;
  family(): Family;
}

/** `perUnit` divides what was added: amounts of nanodollars are shown in dollars. */
export function createCounter(name: MetricName, perUnit = 1): Tally<Cell> {
  const { at, all } = createSeries(name, (labels): Cell => ({ labels, value: 0 }));
  return {
    at,
    family: () =>
      familyOf(
        name,
        all().map(({ labels, value }) => ({ labels, value: value / perUnit })),
      ),
  };
}

export function createHistogram(name: MetricName): Tally<Buckets> {
  const bounds = METRICS[name].bounds ?? [];
  const { at, all } = createSeries(
    name,
    (labels): Buckets => ({ labels, bounds, counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 }),
  );
  return {
    at,
    family: () =>
      familyOf(
        name,
        all().flatMap(({ labels, counts, sum }) => histogramSamples(labels, bounds, counts, sum)),
      ),
  };
}

export function observe(buckets: Buckets, value: number): void {
  const { bounds, counts } = buckets;
  let i = 0;
  while (i < bounds.length && value > bounds[i]!) i += 1;
  counts[i]! += 1;
  buckets.sum += value;
}

function createSeries<Series>(name: MetricName, make: (labels: Record<string, string>) => Series) {
  const names = METRICS[name].labels;
  const series = new Map<string, Series>();
  return {
    all: () => [...series.values()],
    at(...labels: string[]): Series {
      const key = labels.join('\n');
      const known = series.get(key);
      if (known) return known;
      const made = make(Object.fromEntries(names.map((label, i) => [label, labels[i] ?? ''])));
      series.set(key, made);
      return made;
    },
  };
}
