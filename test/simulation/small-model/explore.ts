// Every state the small model can reach, breadth first. Of the rest of the fleet a sidecar and its slice see two figures at
// the ledger, what is posted and what is outstanding. So one half is played against every pair of figures that the ledger
// may hold for all others; if each half never spends more than the ledger counts for it, and the ledger's count never
// passes the limit, then no two halves together do, nor any number of them.

import type { Around } from './ledger.ts';
import {
  arrivalsOf,
  type Bounds,
  canonical,
  type Flaws,
  freshSide,
  passTime,
  type Side,
  type Step,
  stepsOf,
  wrongOnceHealed,
} from './side.ts';
import { spentBy } from './sidecar.ts';

const LIVE = 1;

export interface Explored {
  /** States of one half. */
  readonly halves: number;
  /** Each with every state of the others' figures. */
  readonly states: number;
  readonly steps: number;
  /** What is wrong in the first bad state, and how it came to it; null when all are good. */
  readonly wrong: string | null;
  readonly story: readonly string[];
}

export function explore(bounds: Bounds, flaws: Flaws = {}): Explored {
  const { limit } = bounds;
  const halves: Side[] = [];
  const known = new Set<string>();
  const cameFrom: number[] = [];
  const cameBy: string[] = [];
  let states = 0;
  let steps = 0;

  const reach = (from: number, by: string, given: Side): void => {
    const [side, text] = canonical(given, flaws, bounds);
    if (known.has(text) || leasesOf(side) > bounds.leases) return;
    known.add(text);
    halves.push(side);
    cameFrom.push(from);
    cameBy.push(by);
  };
  const follow = (from: number, all: readonly Step[]): void => {
    steps += all.length;
    for (const [by, after] of all) reach(from, by, after);
  };

  reach(-1, '', freshSide());
  for (let at = 0; at < halves.length; at++) {
    const half = halves[at]!;
    const wrong = wrongWith(half, limit, flaws);
    if (wrong) return { halves: halves.length, states, steps, wrong, story: storyOf(at) };
    follow(at, [...stepsOf(half, flaws), ['time passes', passTime(half, flaws)]]);
    for (const around of othersBeside(half, limit)) {
      states += 1;
      follow(at, arrivalsOf(half, around, flaws));
    }
  }
  return { halves: halves.length, states, steps, wrong: null, story: [] };

  function storyOf(last: number): string[] {
    const story: string[] = [];
    for (let at = last; at > 0; at = cameFrom[at]!) story.unshift(cameBy[at]!);
    return story;
  }
}

function leasesOf({ sidecar, shelf }: Side): number {
  return Math.max(shelf.leases.length, sidecar.purses.filter(({ seq }) => seq > 0).length);
}

/** All that the ledger may hold for everybody else. */
function* othersBeside({ shelf }: Side, limit: number): Iterable<Around> {
  const left = limit - shelf.posted - shelf.outstanding;
  for (let posted = 0; posted <= left; posted++)
    for (let outstanding = 0; posted + outstanding <= left; outstanding++)
      yield { limit, posted, outstanding, live: LIVE };
}

function wrongWith(half: Side, limit: number, flaws: Flaws): string | null {
  const counted = half.shelf.posted + half.shelf.outstanding;
  const spent = spentBy(half.sidecar);
  if (counted > limit) return `${counted} is posted or outstanding, the limit is ${limit}`;
  if (spent > counted) return `${spent} may truly be spent, the ledger counts ${counted}`;
  return wrongOnceHealed(half, { limit, posted: 0, outstanding: 0, live: LIVE }, flaws);
}
