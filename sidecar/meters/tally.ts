// Counting on a call's way: one look-up and one addition for each series. What a scrape sees is made when it is asked for.

import { familyOf, METRICS, type MetricName } from '../../contract/metrics.ts';
import { type Family, histogramSamples } from '../../kit/metrics.ts';

export interface Tally {
  /** `labels` in the order of the metric's declaration. */
  add(amount: number, ...labels: string[]): void;
  family(): Family;
}

export interface Distribution {
  observe(value: number, ...labels: string[]): void;
  family(): Family;
}

interface Buckets {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: number[];
  sum: number;
}

/** `perUnit` divides what was added: amounts of nanodollars are shown in dollars. */
export function createTally(name: MetricName, perUnit = 1): Tally {
  const series = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  return {
    add(amount, ...labels) {
      const key = labels.join('\n');
      const known = series.get(key);
      if (known) known.value += amount;
      else series.set(key, { labels: named(name, labels), value: amount });
    },
    family: () =>
      familyOf(
        name,
        Array.from(series.values(), ({ labels, value }) => ({ labels, value: value / perUnit })),
      ),
  };
}

export function createDistribution(name: MetricName): Distribution {
  const bounds = METRICS[name].bounds ?? [];
  const series = new Map<string, Buckets>();
  return {
    observe(value, ...labels) {
      const key = labels.join('\n');
      let buckets = series.get(key);
      if (!buckets) {
        buckets = {
          labels: named(name, labels),
          counts: new Array<number>(bounds.length + 1).fill(0),
          sum: 0,
        };
        series.set(key, buckets);
      }
      const above = bounds.findIndex((bound) => value <= bound);
      buckets.counts[above < 0 ? bounds.length : above]! += 1;
      buckets.sum += value;
    },
    family: () =>
      familyOf(
        name,
        Array.from(series.values(), ({ labels, counts, sum }) =>
          histogramSamples(labels, bounds, counts, sum),
        ).flat(),
      ),
  };
}

function named(name: MetricName, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(METRICS[name].labels.map((label, i) => [label, values[i] ?? '']));
}
