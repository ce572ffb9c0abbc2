// AUD-09: SOAK_REQUESTS (a million) and SOAK_KILLS (60) from SOAK_SEED; what reached the origin is what is on record.

import { it } from 'vitest';
import { reconcile } from '../end-to-end/reconcile.ts';

const REQUESTS = Number(process.env.SOAK_REQUESTS ?? 1_000_000);
const KILLS = Number(process.env.SOAK_KILLS ?? 60);
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);

it(`AUD-09 ${REQUESTS} requests at the origin through ${KILLS} kills, seed ${SEED}: each has its record`, async () => {
  await reconcile({ requests: REQUESTS, kills: KILLS, seed: SEED, told: (line) => console.log(line) });
});
