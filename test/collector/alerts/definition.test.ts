// A mistake in a definition is found at start, all of them together, each with its file and key.

import { describe, expect, it } from 'vitest';
import { DefinitionsBroken, parseDefinitions } from '../../../collector/alerts/definition.ts';
import { readAlertFiles } from '../../../collector/edges/alert-files.ts';

const GOOD = `severity: warning
question: Is it so?
summary: It is {value}
unit: count
threshold: 3
sql: SELECT 1
next: outrider budgets
prometheus:
  expr: outrider_alert_value
  tests:
    - { name: yes, series: {}, at: 1m, fires: [{ labels: {}, value: '1' }] }
    - { name: no, series: {}, at: 1m, fires: [] }
`;

const mistakesIn = (...texts: string[]): string => {
  try {
    parseDefinitions(texts.map((text, i) => ({ file: `alerts/file-${i}.yaml`, text })));
  } catch (failure) {
    if (failure instanceof DefinitionsBroken) return failure.message;
    throw failure;
  }
  return '';
};

describe('a definition', () => {
  it('is read with its defaults; the file names it', () => {
    const { alerts } = parseDefinitions([{ file: 'alerts/so-it-is.yaml', text: GOOD }]);
    expect(alerts[0]).toMatchObject({ id: 'so-it-is', threshold: 3, for: 0, keep: 0, repeat: 14_400_000 });
  });

  it.each([
    ['an unknown key', `${GOOD}treshold: 5\n`, 'alerts/file-0.yaml: the file: Unrecognized key: "treshold"'],
    ['a missing key', GOOD.replace('threshold: 3\n', ''), 'alerts/file-0.yaml: threshold: '],
    ['a duration without unit', `${GOOD}for: 5\n`, 'alerts/file-0.yaml: for: '],
    ['a severity nobody has', GOOD.replace('warning', 'loud'), 'alerts/file-0.yaml: severity: '],
    [
      'nothing to look at',
      GOOD.replace('sql: SELECT 1\n', ''),
      'alerts/file-0.yaml: sql: neither sql nor figure',
    ],
    ['a figure that is none', `${GOOD}figure: moon\n`, 'alerts/file-0.yaml: figure: '],
    ['a key twice', `${GOOD}unit: ratio\n`, 'alerts/file-0.yaml: Map keys must be unique'],
    [
      'a rule never seen to fire',
      GOOD.replace(/ {4}- \{ name: yes.*\n/, ''),
      'prometheus.tests: has no test in which it fires',
    ],
  ])('with %s is refused', (_, text, expected) => {
    expect(mistakesIn(text)).toContain(expected);
  });

  it('is refused together with all others that are wrong', () => {
    const broken = GOOD.replace('unit: count', 'unit: apples');
    const lines = mistakesIn(broken, GOOD, `${GOOD}colour: red\n`).split('\n');
    expect(lines.map((line) => line.split(':')[0])).toEqual(['alerts/file-0.yaml', 'alerts/file-2.yaml']);
  });

  it('ships without a mistake', () => {
    const files = readAlertFiles();
    const { alerts, digests } = parseDefinitions(files);
    // Each file is one definition, and named by its id.
    expect([...alerts, ...digests].map(({ id }) => `alerts/${id}.yaml`).sort()).toEqual(
      files.map(({ file }) => file),
    );
    expect(digests.map(({ id }) => id)).toEqual(['daily-digest']);
  });
});
