// The checkers can fail: every mutant is caught within a few seeds, by what it gets wrong and not by something else.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlDatabase, openControlDatabase } from './control-database.ts';
import { MUTANTS, mutate } from './mutants.ts';
import { simulate } from './simulate.ts';

const SEEDS_MAX = 25;

let control: ControlDatabase;
beforeAll(async () => {
  control = await openControlDatabase();
});
afterAll(() => control.close());

describe('the checkers catch', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s',
    async (_name, mutant) => {
      const undo = await mutate(control.database, mutant);
      const found: string[] = [];
      for (let seed = 1; seed <= SEEDS_MAX && !found.some((text) => mutant.caught.test(text)); seed++) {
        const { findings } = await simulate(
          seed,
          control,
          mutant.leasesOf ? { leasesOf: mutant.leasesOf } : {},
        );
        found.push(...findings);
      }
      await undo();
      await control.empty();
      expect(found.filter((text) => mutant.caught.test(text)).length).toBeGreaterThan(0);
    },
    300_000,
  );
});
