import { describe, it } from 'vitest';
import { killRound } from '../end-to-end/kill-round.ts';

const ROUNDS = Number(process.env.SOAK_ROUNDS ?? 200);
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);

describe('a budget of $10 under kill -9', () => {
  it(`holds in ${ROUNDS} rounds from seed ${SEED}`, async () => {
    for (let round = 0; round < ROUNDS; round++) await killRound(SEED + round);
  });
});
