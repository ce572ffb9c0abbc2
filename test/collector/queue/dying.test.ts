// A process that kills itself in the middle of a step, on the real disk; test/soak/ does so at every step.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Death, dieAgainAndAgain } from './dying-rounds.ts';

const DEATHS: readonly Death[] = [
  { step: 'datasync segments', times: 1, when: 'after' },
  { step: 'append manifest', times: 1, when: 'before' },
  { step: 'rename segments', times: 1, when: 'after' },
  { step: 'load', times: 2, when: 'after' },
  { step: 'remove segments', times: 2, when: 'before' },
];

it('COL-02: killed by itself at named steps of writing, noting, halving and landing, has all it acknowledged once', () => {
  const directory = mkdtempSync(join(tmpdir(), 'outrider-dying-'));
  expect(dieAgainAndAgain(directory, DEATHS)).toBeGreaterThanOrEqual(DEATHS.length - 1);
  rmSync(directory, { recursive: true, force: true });
});
