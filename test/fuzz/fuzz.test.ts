// Thousands of mutated requests in every run; a million in `npm run soak`.

import { afterAll, beforeAll, it } from 'vitest';
import { type Fuzz, startFuzz } from './fuzz.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const FROM = Number(process.env.FUZZ_FROM ?? 0);
const COUNT = Number(process.env.FUZZ_COUNT ?? 8_000);
const ROUND = 4_000;

let fuzz: Fuzz;
beforeAll(async () => {
  fuzz = await startFuzz();
});
afterAll(() => fuzz.stop());

it(`SMUG-44: ${COUNT} mutated requests open nothing, break nothing and leave nothing behind`, async () => {
  for (let done = 0; done < COUNT; done += ROUND)
    await fuzz.round(SEED, FROM + done, Math.min(ROUND, COUNT - done));
}, 600_000);
