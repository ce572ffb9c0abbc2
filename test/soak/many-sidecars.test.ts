// SOAK_SIDECARS (20) processes on one budget, SOAK_ROUNDS (100) of them with kill -9 and SIGSTOP, from SOAK_SEED.

import { afterAll, beforeAll, it } from 'vitest';
import { spendAmongHungry } from '../end-to-end/hungry-queries.ts';
import { type ManySidecars, seeded, startManySidecars } from '../end-to-end/many-sidecars.ts';

const ROUNDS = Number(process.env.SOAK_ROUNDS ?? 100);
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);
const SIDECARS = Number(process.env.SOAK_SIDECARS ?? 20);

let many: ManySidecars;
beforeAll(async () => {
  many = await startManySidecars({ sidecars: SIDECARS, callers: 50, dollars: 200 });
}, 300_000);
afterAll(() => many.stop());

it(`${SIDECARS} sidecars, fifty calls each at once: exactly the limit is spent`, () =>
  many.spend('together'));

it(`${SIDECARS} sidecars spend while queries eat all memory and the store is killed: no record lost, no lease late`, () =>
  spendAmongHungry(many, { task: 'among-hungry', quietTask: 'together', dollars: 200 }));

it(`${ROUNDS} rounds of kill -9 and SIGSTOP from seed ${SEED}: never above, and all of it once they are back`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await many.spend(`seed-${SEED + round}`, seeded(SEED + round));
    console.log(`round ${round + 1} of ${ROUNDS}`);
  }
});
