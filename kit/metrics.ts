// Metrics as Prometheus reads them: families of samples, written by prom-client, which is loaded at the first scrape. The
// caller counts in whatever is cheapest on its way; a family is what it shows when somebody asks.

import type { Metric } from 'prom-client';

export interface Sample {
  /** Label → value; a label whose value is empty is the same as none. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of histograms and summaries: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly samples: readonly Sample[];
}

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Prometheus' text format 0.0.4. Families without samples are left out. */
export async function exposition(families: readonly Family[]): Promise<Exposition> {
  const { Registry } = await import('prom-client');
  const registry = new Registry();
  for (const family of families) if (family.samples.length > 0) registry.registerMetric(metricOf(family));
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** What a registry asks of a metric when it writes; prom-client's own can only be counted up one by one. */
function metricOf({ name, help, type, samples }: Family): Metric {
  const values = samples.map(({ labels, value, suffix = '' }) => ({
    metricName: name + suffix,
    labels,
    value,
  }));
  return { name, get: () => Promise.resolve({ name, help, type, values }) } as unknown as Metric;
}

/** A histogram's samples: `counts` has one more than `bounds`, for what lies above the last. */
export function histogramSamples(
  labels: Readonly<Record<string, string>>,
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
): Sample[] {
  let below = 0;
  const buckets = counts.map((count, i) => {
    below += count;
    const le = i < bounds.length ? String(bounds[i]) : '+Inf';
    return { suffix: '_bucket', labels: { ...labels, le }, value: below };
  });
  return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: below }];
}

/** Bounds a label: the first so many values are kept, all others are `rest`. */
export function firstOf(max: number, rest: string): (value: string) => string {
  const kept = new Set(['']);
  return (value) => {
    if (kept.has(value)) return value;
    if (kept.size > max) return rest;
    kept.add(value);
    return value;
  };
}
