// The dashboards as files: fresh, named by nothing that is not there, and each panel says which question it answers.

import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { METRIC_NAMES, METRICS } from '../../contract/metrics.ts';
import { DASHBOARDS } from '../../dashboards/dashboards.ts';
import { render } from '../../dashboards/render.ts';
import { dashboardFiles, everyQuestion } from './dashboard-files.ts';

const files = dashboardFiles();

test.each(DASHBOARDS)('$name.json is what `npm run dashboards` writes', (source) => {
  const committed = readFileSync(new URL(`../../dashboards/${source.name}.json`, import.meta.url), 'utf8');
  expect(committed).toBe(render(source, DASHBOARDS));
});

test('there is a file for each dashboard and no other', () => {
  expect([...files.keys()].sort()).toEqual(DASHBOARDS.map(({ name }) => name).sort());
});

describe.each([...files])('%s', (name, { apiVersion, kind, metadata, spec }) => {
  it('is a resource of the second form, under its own uid', () => {
    expect([apiVersion, kind, metadata.name]).toEqual([
      'dashboard.grafana.app/v2',
      'Dashboard',
      `outrider-${name}`,
    ]);
  });

  it('shows each panel once', () => {
    const shown = spec.layout.spec.rows.flatMap((row) =>
      row.spec.layout.spec.items.map((item) => item.spec.element.name),
    );
    expect(shown.sort()).toEqual(Object.keys(spec.elements).sort());
  });

  it('says what each panel answers, under titles of their own', () => {
    const panels = Object.values(spec.elements).map((panel) => panel.spec);
    for (const { title, description, data } of panels) {
      expect(description, title).toMatch(/[?.]/);
      expect(data.spec.queries.length, title).toBeGreaterThan(0);
    }
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  });

  it('links to the others', () => {
    const others = [...files.keys()].filter((other) => other !== name);
    expect(spec.links.map(({ url }) => url).sort()).toEqual(
      others.map((other) => `/d/outrider-${other}`).sort(),
    );
  });
});

describe('the metrics that are asked for', () => {
  const suffixed = (name: string): string =>
    METRIC_NAMES.find((known) => name === known) ?? name.replace(/_(bucket|sum|count)$/, '');
  const withoutLabels = (expr: string): string => expr.replace(/\b(?:by|on|without)\s*\([^)]*\)/g, ' ');
  const asked = everyQuestion()
    .filter(({ kind }) => kind === 'promql')
    .flatMap(({ text }) =>
      [...withoutLabels(text).matchAll(/\b(?:outrider|gen_ai|process)_[a-z_]+(?=[{[) ]|$)/g)].map(([n]) => n),
    );
  const names = new Set(asked.map(suffixed));

  it('are all declared', () => {
    expect([...names].filter((name) => !(METRIC_NAMES as readonly string[]).includes(name))).toEqual([]);
    expect(names.size).toBeGreaterThan(30);
  });

  it('are asked for by labels they have', () => {
    for (const { text, where, kind } of everyQuestion()) {
      if (kind !== 'promql') continue;
      for (const [, name, matchers] of text.matchAll(/\b([a-z_]+)\{([^}]*)\}/g)) {
        const metric = METRICS[suffixed(name!) as keyof typeof METRICS];
        const labels = [...matchers!.matchAll(/(\w+)(?:=~|!=|!~|=)/g)].map((match) => match[1]!);
        for (const label of labels) expect(metric?.labels, `${where}: ${name}`).toContain(label);
      }
    }
  });
});
