// How long to wait before the same upstream is asked again, and how long an agent is told to. What the upstream says is
// kept to; where it says nothing, the wait is spread at random, so that those who failed together do not come back together.

import type { AnswerHead } from '../dialects/dialect.ts';
import type { Failing } from './failing.ts';

/** No upstream is believed to mean less or more. */
const TOLD_MS_MIN = 1_000;
const TOLD_MS_MAX = 60_000;
/** On top of what was told: everyone was told the same. */
const SPREAD_MS = 500;
const OVERLOADED_MS = { from: 30_000, to: 60_000 };
const THROTTLED_MS = { from: 0, to: 1_000 };
const AT_ONCE_MS = { from: 0, to: 250 };

/** What the upstream asks for in `retry-after-ms` or `retry-after` (seconds or a date), within a minute; null where nothing. */
export function toldToWaitMs(head: AnswerHead, nowMs: number): number | null {
  const asked = askedMs(head, nowMs);
  return asked === null ? null : Math.min(Math.max(asked, TOLD_MS_MIN), TOLD_MS_MAX);
}

function askedMs(head: AnswerHead, nowMs: number): number | null {
  const precise = Number(head.header('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(precise)) return precise;
  const text = head.header('retry-after');
  if (text === undefined || text.trim() === '') return null;
  const seconds = Number(text);
  if (!Number.isNaN(seconds)) return seconds * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : date - nowMs;
}

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
