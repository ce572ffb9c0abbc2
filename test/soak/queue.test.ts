// The queue's model at length: a hundred thousand steps of requests, crashes, power cuts, disk errors and an absent store, from
// seeds; and every byte of a torn page. A failure says which seed to play again (OUTRIDER_SEED=… vitest run test/collector/queue).

import { describe, expect, it } from 'vitest';
import { simulate } from '../collector/queue/simulation.ts';

const STEPS_PER_SEED = 120;
const STEPS = Number(process.env.SOAK_STEPS ?? 100_000);
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);

describe('COL-32: a queue against an ideal one', () => {
  it(`${STEPS} steps from seed ${SEED}: what was acknowledged is there once`, async () => {
    for (let seed = SEED; seed < SEED + STEPS / STEPS_PER_SEED; seed += 1) {
      const { acknowledged, poisonous, stored, quarantined, filesLeft } = await simulate(seed);
      const lost = acknowledged.filter((digest) => !stored.has(digest) && !quarantined.has(digest));
      expect(lost, `seed ${seed}`).toEqual([]);
      expect(
        [...stored.values()].every((count) => count === 1),
        `seed ${seed}`,
      ).toBe(true);
      expect(
        [...quarantined.keys()].every((digest) => poisonous.has(digest)),
        `seed ${seed}`,
      ).toBe(true);
      expect(filesLeft, `seed ${seed}`).toEqual([]);
    }
  });
});
