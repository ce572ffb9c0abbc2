// The invariant in every state a small fleet can be in: posted + outstanding never pass the limit, nobody truly spends more,
// and all of it is of use again once all is healed.

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type ControlDatabase, openControlDatabase } from './control-database.ts';
import { explore } from './small-model/explore.ts';
import type { Flaws } from './small-model/side.ts';
import { walk } from './small-model/trace.ts';
import { randomFrom } from './world/random.ts';

const WALKS = 25;
const WALK_STEPS = 80;

describe('in every state, whatever is lost, doubled, late or killed', () => {
  it.each([
    ['one lease at a time, a limit of 3', { limit: 3, leases: 1, stray: 0 }, 11_000],
    ['words that come after later ones, a limit of 2', { limit: 2, leases: 1, stray: 1 }, 12_000],
  ])('nothing is overspent and nothing is lost: %s', (_name, bounds, halvesMin) => {
    const { wrong, story, halves, states } = explore(bounds);
    expect({ wrong, story }).toEqual({ wrong: null, story: [] });
    expect(halves).toBeGreaterThan(halvesMin);
    expect(states).toBeGreaterThan(halves);
  });
});

describe('the model can fail: it shows how', () => {
  it.each<[string, Flaws]>([
    ['a sidecar that forgets its calls at a crash', { forgetsCalls: true }],
    ['a sidecar that gives back what its calls hold', { givesBackHeld: true }],
    ['a ledger that grants what others hold', { grantsHeld: true }],
    ['a ledger that takes an old word for a new one', { readsOldAsks: true }],
    ['a ledger that frees a slice when its time is over', { forgetsExpired: true }],
    ['a ledger that corrects a write-off while the slice may be held', { correctsUnreleased: true }],
  ])('%s', (_name, flaws) => {
    const { wrong, story } = explore({ limit: 3, leases: 1, stray: 1 }, flaws);
    expect(wrong).toMatch(/spent|outstanding|left with nobody/);
    expect(story.length).toBeGreaterThan(2);
  });
});

describe('the model’s ledger', () => {
  let control: ControlDatabase;
  beforeAll(async () => {
    control = await openControlDatabase();
  });
  afterAll(() => control.close());

  test(`is the SQL’s: ${WALKS} random walks are answered alike`, async () => {
    let words = 0;
    for (let i = 0; i < WALKS; i++) {
      const walked = await walk(control.database, `walk-${i}`, randomFrom(i), WALK_STEPS);
      expect(walked.differences).toEqual([]);
      words += walked.words;
    }
    expect(words).toBeGreaterThan(WALKS * 5);
  });
});
