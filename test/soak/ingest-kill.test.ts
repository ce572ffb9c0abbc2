// SOAK_ROUNDS (500) kills of a collector that takes and loads, from SOAK_SEED.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { killAgainAndAgain } from '../collector/queue/kill-rounds.ts';

const ROUNDS = Number(process.env.SOAK_ROUNDS ?? 500);
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);

const directory = mkdtempSync(join(tmpdir(), 'outrider-ingest-kill-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it(`after ${ROUNDS} kills all that was acknowledged is there once, from seed ${SEED}`, () =>
  killAgainAndAgain({
    directory,
    rounds: ROUNDS,
    seed: SEED,
    onRound: (round) => round % 25 === 0 && console.log(`round ${round} of ${ROUNDS}`),
  }));
