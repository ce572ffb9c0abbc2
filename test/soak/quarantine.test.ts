// Ten sidecars at as many calls a second as the machine gives, and one agent of them put in quarantine: again and again.

import { expect, it } from 'vitest';
import { quarantineRound } from '../end-to-end/quarantine-round.ts';

const ROUNDS = Number(process.env.SOAK_ROUNDS ?? 5);
const SIDECARS = Number(process.env.SOAK_SIDECARS ?? 10);
const AGENTS = Number(process.env.SOAK_AGENTS ?? 20);
const CALLS_PER_SECOND = Number(process.env.SOAK_CALLS_PER_SECOND ?? 1_000);

it(`holds in ${ROUNDS} rounds of ${SIDECARS} sidecars with ${AGENTS} agents each at ${CALLS_PER_SECOND} calls/s`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const figures = await quarantineRound({
      sidecars: SIDECARS,
      agents: AGENTS,
      callsPerSecond: CALLS_PER_SECOND,
      beforeMs: 15_000,
      afterMs: 5_000,
    });
    console.log(JSON.stringify(figures));
    expect(figures.arrivedLate).toBe(0);
    expect(figures.lastEndMs).toBeLessThan(2_000);
    expect(Object.keys(figures.later)).toEqual(['403 agent_quarantined']);
    expect(Object.keys(figures.others)).toEqual(['200']);
    expect(figures.othersUnderWay).toBe(SIDECARS);
  }
});
