// How long to wait before the same upstream is asked again, and how long an agent is told to. What the upstream says is
// kept to; where it says nothing, the wait is spread at random, so that those who failed together do not come back together.

import { WAIT_MS_MAX, WAIT_MS_MIN } from '../state/throttles.ts';
import type { Failing } from './failing.ts';

/** On top of what was told: everyone was told the same. */
const SPREAD_MS = 500;
const OVERLOADED_MS = { from: 30_000, to: 60_000 };
const THROTTLED_MS = { from: 0, to: 1_000 };
const AT_ONCE_MS = { from: 0, to: 250 };

/** What the upstream asked for, within a minute; null where it asked for nothing. */
export const believed = (toldMs: number | null): number | null =>
  toldMs === null ? null : Math.min(Math.max(toldMs, WAIT_MS_MIN), WAIT_MS_MAX);

/** Before the next try, in ms. `random` is in [0, 1). */
export function waitBefore(failing: Failing, told: number | null, random: () => number): number {
  if (told !== null) return told + random() * SPREAD_MS;
  if (failing === 'overloaded') return between(OVERLOADED_MS, random);
  return between(failing === 'throttled' ? THROTTLED_MS : AT_ONCE_MS, random);
}

/** For the agent, where the upstream left it out, in whole seconds; null where the status asks for no wait. */
export function secondsToTell(status: number, random: () => number): number | null {
  if (status === 503 || status === 529) return Math.ceil(between(OVERLOADED_MS, random) / 1_000);
  return status === 429 ? Math.ceil(between({ from: 1_000, to: 5_000 }, random) / 1_000) : null;
}

const between = ({ from, to }: { from: number; to: number }, random: () => number): number =>
  from + random() * (to - from);
