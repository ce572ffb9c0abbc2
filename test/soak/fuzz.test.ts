// A million mutated requests, in rounds of their own process each: a failure says which to send again.

import { describe, it } from 'vitest';
import { startFuzz } from '../fuzz/fuzz.ts';

const COUNT = Number(process.env.FUZZ_COUNT ?? 1_000_000);
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const FROM = Number(process.env.FUZZ_FROM ?? 0);
const ROUND = 10_000;
/** A new fleet after so many, or the collector's rows of all of them would be read in each round. */
const ROUNDS_PER_FLEET = 10;

describe('mutated requests', () => {
  it(`${COUNT} from seed ${SEED} open nothing, break nothing and leave nothing behind`, async () => {
    for (let done = 0; done < COUNT; ) {
      const fuzz = await startFuzz();
      for (let round = 0; round < ROUNDS_PER_FLEET && done < COUNT; round++, done += ROUND)
        await fuzz.round(SEED, FROM + done, Math.min(ROUND, COUNT - done));
      await fuzz.stop();
    }
  });
});
