// What an end says of the upstream, row by row.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Ended, outcomeOf } from '../../sidecar/outcome.ts';
import type { Outcome } from '../../sidecar/state/circuit.ts';

interface Row extends Partial<Ended> {
  readonly id: string;
  readonly ending: Ended['ending'];
  readonly outcome: Outcome;
}

const rows = readFileSync(new URL('../cases/outcomes.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

it.each(rows)('$id: $outcome', ({ id: _, outcome, ...ended }) => {
  expect(outcomeOf({ refusal: '', status: 0, errorType: '', late: false, ...ended })).toBe(outcome);
});
