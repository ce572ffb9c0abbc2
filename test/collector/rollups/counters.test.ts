// Counters only grow: neither retention nor the moving of the moment they are summed from takes anything back.

import { expect, test } from 'vitest';
import { createCounters } from '../../../collector/rollups/counters.ts';
import { createCap, createCounterSeries } from '../../../collector/rollups/series.ts';

interface Row {
  readonly bound: number;
  readonly agent: string;
  readonly sum: number;
}

function setup(seriesMax = 100) {
  const cap = createCap(seriesMax);
  const series = createCounterSeries('outrider_fleet_calls_total', cap);
  const counters = createCounters<Row>([{ series, read: ({ agent, sum }) => [{ agent }, sum] }]);
  const shown = () =>
    Object.fromEntries(series.family().samples.map(({ labels, value }) => [labels.agent, value]));
  return { cap, counters, shown };
}
const at = (bound: number, sums: Readonly<Record<string, number>>): Row[] =>
  Object.entries(sums).map(([agent, sum]) => ({ bound, agent, sum }));

test('what was there before counts as nothing, what comes counts', () => {
  const { counters, shown } = setup();
  counters.mark(at(0, { a: 100 }));
  expect(shown()).toEqual({ a: 0 });
  counters.take(at(0, { a: 103, b: 2 }), 0, null);
  expect(shown()).toEqual({ a: 3, b: 2 });
});

test('a sum that shrinks takes nothing back, and what comes after counts', () => {
  const { counters, shown } = setup();
  counters.mark([]);
  counters.take(at(0, { a: 10 }), 0, null);
  counters.take(at(0, { a: 4 }), 0, null);
  expect(shown()).toEqual({ a: 10 });
  counters.take(at(0, { a: 5 }), 0, null);
  expect(shown()).toEqual({ a: 11 });
});

test('moving on to a later moment loses and doubles nothing', () => {
  const { counters, shown } = setup();
  counters.mark(at(0, { a: 50 }));
  counters.take([...at(0, { a: 57 }), ...at(9, { a: 12 })], 0, 9);
  expect(shown()).toEqual({ a: 7 });
  counters.take(at(9, { a: 15 }), 9, null);
  expect(shown()).toEqual({ a: 10 });
});

test('beyond the cap series share one name, for good', () => {
  const { cap, counters, shown } = setup(2);
  counters.mark([]);
  counters.take(at(0, { a: 1, b: 1, c: 1, d: 1 }), 0, null);
  counters.take(at(0, { a: 2, b: 2, c: 2, d: 2 }), 0, null);
  expect(shown()).toEqual({ a: 2, b: 2, other: 4 });
  expect(cap.dropped).toBe(2);
});
