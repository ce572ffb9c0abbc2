// CB-14: a provider that answers 529 is asked no more than a tenth above what agents began, and when it is back it is not
// run over.

import { beforeAll, describe, expect, it } from 'vitest';
import { type Curve, ride, sum } from './fleet.ts';

const MINUTE_S = 60;
const CALM_S = 10 * MINUTE_S;
const STORM_S = 10 * MINUTE_S;
const AGENTS = 20;
const STORM = { agents: AGENTS, calmMs: CALM_S * 1000, stormMs: STORM_S * 1000, afterMs: CALM_S * 1000 };

const between = (numbers: readonly number[], from: number, to: number): number =>
  sum(numbers.slice(from, to));
const storm = (numbers: readonly number[]): number => between(numbers, CALM_S, CALM_S + STORM_S);

describe.each([1, 2, 3])(
  'CB-14: a storm over 20 agents, half of which retry by themselves (seed %d)',
  (seed) => {
    let curve: Curve;
    beforeAll(async () => {
      curve = await ride({ ...STORM, seed, sidecars: true });
    });

    it('asks at most 1.1 times what agents began, from its first second to its last', () => {
      for (let second = CALM_S + 1; second <= CALM_S + STORM_S; second++) {
        const begun = between(curve.begun, CALM_S, second);
        // one retry each is always allowed, and what was begun in the second before may be asked in this one
        expect(between(curve.asked, CALM_S, second)).toBeLessThanOrEqual(1.1 * begun + 2 * AGENTS);
      }
      expect(storm(curve.asked)).toBeLessThanOrEqual(1.1 * storm(curve.begun));
    });

    it('leaves the provider alone once circuits are open', () => {
      const last = [CALM_S + STORM_S - 3 * MINUTE_S, CALM_S + STORM_S] as const;
      expect(between(curve.asked, ...last)).toBeLessThan(0.5 * between(curve.begun, ...last));
    });

    it('comes back without a herd, and wholly', () => {
      const before = Math.max(...curve.asked.slice(MINUTE_S, CALM_S));
      const after = curve.asked.slice(CALM_S + STORM_S);
      expect(Math.max(...after)).toBeLessThanOrEqual(1.25 * before);
      const calm = between(curve.served, CALM_S - 2 * MINUTE_S, CALM_S);
      const end = curve.served.length;
      expect(between(curve.served, end - 2 * MINUTE_S, end)).toBeGreaterThan(0.9 * calm);
    });
  },
);

it('without sidecars the same clients ask half as much again and more', async () => {
  const curve = await ride({ ...STORM, seed: 1, sidecars: false });
  expect(storm(curve.asked)).toBeGreaterThan(1.5 * storm(curve.begun));
});

it('CB-14: a fleet that begins in the storm asks no more either', async () => {
  const curve = await ride({ ...STORM, seed: 4, calmMs: 0, sidecars: true });
  expect(between(curve.asked, 0, STORM_S)).toBeLessThanOrEqual(1.1 * between(curve.begun, 0, STORM_S));
});
