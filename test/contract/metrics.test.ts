// The declaration of the metrics: as Prometheus wants names, and the page that is written from it is fresh.

import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { METRIC_NAMES, METRICS } from '../../contract/metrics.ts';
import { metricsPage } from '../../scripts/metrics-page.ts';

test('docs/metrics.md is what `npm run docs` writes', () => {
  expect(readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')).toBe(metricsPage());
});

describe.each(METRIC_NAMES)('%s', (name) => {
  const { type, unit, help, labels, bounds } = METRICS[name];

  it('has a name that says its type and unit', () => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (['seconds', 'bytes', 'dollars'].includes(unit)) expect(name).toContain(unit);
  });

  it('is explained in a sentence, with labels of its own', () => {
    expect(help).toMatch(/^[A-Z1].*\.$/);
    expect(new Set(labels).size).toBe(labels.length);
    expect(labels.filter((label) => ['le', 'quantile', 'instance', 'job'].includes(label))).toEqual([]);
  });

  it('has rising bounds where it is a histogram, and none elsewhere', () => {
    expect(bounds !== undefined && bounds.length > 0).toBe(type === 'histogram');
    expect(bounds).toEqual(bounds?.toSorted((a, b) => a - b));
  });
});
