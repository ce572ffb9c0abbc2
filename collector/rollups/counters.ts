// Counters from a rollup: what its sums grew by, under bounded labels. Sums are asked for since a fixed moment,
// one to two days back; when that moment moves on, the sums since both are asked for at once, so that nothing is lost
// between them.

import { createGrowth, type Growth } from './growth.ts';
import type { CounterSeries, LabelValues } from './series.ts';

/** What one counter reads off a row: its labels and how much; null where the row says nothing of it. */
export interface Counting<Row> {
  readonly series: CounterSeries;
  read(row: Row): readonly [labels: LabelValues, amount: number] | null;
}

export interface Counters<Row extends { readonly bound: number }> {
  /** Rows since `since`, and, while the moment moves on, since `next`. */
  take(rows: readonly Row[], since: number, next: number | null): void;
  /** Begins to count from these. */
  mark(rows: readonly Row[]): void;
}

export function createCounters<Row extends { readonly bound: number }>(
  countings: readonly Counting<Row>[],
): Counters<Row> {
  const growths = countings.map((counting) => ({ counting, growth: createGrowth() }));

  const each = (rows: readonly Row[], use: (growth: Growth, counting: Counting<Row>, sums: Sums) => void) => {
    for (const { counting, growth } of growths) use(growth, counting, sumsOf(rows, counting));
  };

  return {
    mark: (rows) =>
      each(rows, (growth, { series }, sums) => {
        growth.mark(sums);
        for (const key of sums.keys()) series.add(JSON.parse(key) as LabelValues, 0);
      }),
    take(rows, since, next) {
      each(
        rows.filter(({ bound }) => bound === since),
        (growth, { series }, sums) => {
          for (const [key, amount] of growth.take(sums)) series.add(JSON.parse(key) as LabelValues, amount);
        },
      );
      if (next === null) return;
      each(
        rows.filter(({ bound }) => bound === next),
        (growth, _counting, sums) => growth.mark(sums),
      );
    },
  };
}

type Sums = Map<string, number>;

function sumsOf<Row>(rows: readonly Row[], { read }: Counting<Row>): Sums {
  const sums: Sums = new Map();
  for (const row of rows) {
    const found = read(row);
    if (!found) continue;
    const key = JSON.stringify(found[0]);
    sums.set(key, (sums.get(key) ?? 0) + found[1]);
  }
  return sums;
}
