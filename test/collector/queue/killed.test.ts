// The promise, kept by the real thing: a collector killed again and again while clients export; what was acknowledged is in
// ClickHouse exactly once, and so is what had to be sent again.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { killAgainAndAgain } from './kill-rounds.ts';

const ROUNDS = 10;
const SEED = Number(process.env.OUTRIDER_SEED ?? Date.now() % 1_000_000);

const directory = mkdtempSync(join(tmpdir(), 'outrider-killed-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it(
  `COL-01 AUD-04: killed ${ROUNDS} times while it takes and loads, a collector has all that it acknowledged once, from seed ${SEED}`,
  {
    timeout: 180_000,
  },
  () => killAgainAndAgain({ directory, rounds: ROUNDS, seed: SEED }),
);
