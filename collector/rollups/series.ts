// The series of the fleet's counters, under one cap. Once shown under its own labels a series stays so, and one that came
// too late stays with the others: a counter that moved from one to the other would go back.

import { familyOf, type MetricName, OTHER } from '../../contract/metrics.ts';
import type { Family } from '../../kit/metrics.ts';

export type LabelValues = Readonly<Record<string, string>>;

export interface Cap {
  /** Whether this many more fit; takes the room if so. */
  take(): boolean;
  /** Series that share `other`. */
  readonly dropped: number;
  drop(): void;
}

export function createCap(max: number): Cap {
  let shown = 0;
  let dropped = 0;
  return {
    take: () => shown < max && ++shown > 0,
    drop: () => void dropped++,
    get dropped() {
      return dropped;
    },
  };
}

export interface CounterSeries {
  /** `labels` hold an `agent`, which becomes `other` where the cap is reached. */
  add(labels: LabelValues, amount: number): void;
  family(): Family;
}

interface Series {
  readonly labels: LabelValues;
  value: number;
}

export function createCounterSeries(name: MetricName, cap: Cap, perUnit = 1): CounterSeries {
  const series = new Map<string, Series>();

  function seriesOf(labels: LabelValues): Series {
    const key = JSON.stringify(labels);
    const known = series.get(key);
    if (known) return known;
    if (labels.agent === OTHER || cap.take()) return put(key, { labels, value: 0 });
    cap.drop();
    return put(key, seriesOf({ ...labels, agent: OTHER }));
  }

  function put(key: string, one: Series): Series {
    series.set(key, one);
    return one;
  }

  return {
    add(labels, amount) {
      seriesOf(labels).value += amount;
    },
    family: () =>
      familyOf(
        name,
        [...new Set(series.values())].map(({ labels, value }) => ({ labels, value: value / perUnit })),
      ),
  };
}
