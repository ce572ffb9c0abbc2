// Calendar windows of budgets: hours, days, weeks (from Monday) and months as the clocks in a time zone show them. A day
// has 23 or 25 hours where the clocks change; one whose midnight was skipped begins at the first instant it has.

import type { BudgetWindow } from './config/config.ts';

/** From `startsAtMs` until just before `endsAtMs`. A task has neither: it lasts as long as it lasts. */
export interface Window {
  readonly startsAtMs: number;
  readonly endsAtMs: number | null;
}

export type Calendar = (window: BudgetWindow, atMs: number) => Window;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WHOLE_LIFE: Window = { startsAtMs: 0, endsAtMs: null };

/** The windows of one IANA time zone. Throws RangeError for a zone that is none. */
export function calendarOf(timezone: string): Calendar {
  const offsetMs = offsetsOf(timezone);
  const latest = new Map<BudgetWindow, Window>();
  return (window, atMs) => {
    if (window === 'task') return WHOLE_LIFE;
    const known = latest.get(window);
    if (known && atMs >= known.startsAtMs && atMs < (known.endsAtMs ?? 0)) return known;
    const found = window === 'hour' ? hourAt(atMs, offsetMs) : datesAt(window, atMs, offsetMs);
    latest.set(window, found);
    return found;
  };
}

/**
 * The latest instant, not after now, at which the zone's clocks first showed this time of a day, in milliseconds since its
 * midnight; on a day that skips it, when they would have, unchanged. Throws RangeError for a zone that is none.
 */
export function latestTimeOfDay(timeMs: number, timezone: string, nowMs: number): number {
  const offsetMs = offsetsOf(timezone);
  const midnightMs = Math.floor((nowMs + offsetMs(nowMs)) / DAY_MS) * DAY_MS;
  const today = firstInstantOf(midnightMs + timeMs, offsetMs);
  return today <= nowMs ? today : firstInstantOf(midnightMs - DAY_MS + timeMs, offsetMs);
}

type Offsets = (atMs: number) => number;

/** How far the zone's clocks are ahead of UTC at an instant. */
function offsetsOf(timezone: string): Offsets {
  // Most fleets' zone: without it no start waits for the tables of all others.
  if (timezone === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (atMs) => {
    const shown: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(atMs)) shown[type] = Number(value);
    const { year, month, day, hour, minute, second } = shown as Record<string, number>;
    return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
  };
}

/** An hour that the clocks show twice is two windows. */
function hourAt(atMs: number, offsetMs: Offsets): Window {
  const offset = offsetMs(atMs);
  const startsAtMs = Math.floor((atMs + offset) / HOUR_MS) * HOUR_MS - offset;
  return { startsAtMs, endsAtMs: startsAtMs + HOUR_MS };
}

/** Dates are counted as if in UTC, where every day has 24 hours, then turned into instants. */
function datesAt(window: 'day' | 'week' | 'month', atMs: number, offsetMs: Offsets): Window {
  const date = new Date(atMs + offsetMs(atMs));
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const sinceMonday = (date.getUTCDay() + 6) % 7;
  const [from, to] = {
    day: [Date.UTC(year, month, day), Date.UTC(year, month, day + 1)],
    week: [Date.UTC(year, month, day - sinceMonday), Date.UTC(year, month, day - sinceMonday + 7)],
    month: [Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1)],
  }[window] as [number, number];
  return { startsAtMs: firstInstantOf(from, offsetMs), endsAtMs: firstInstantOf(to, offsetMs) };
}

/** When the clocks show this, as if it were UTC: the earlier instant if they do twice; if never, when they would have, unchanged. */
function firstInstantOf(shownMs: number, offsetMs: Offsets): number {
  const candidates = [shownMs - offsetMs(shownMs - DAY_MS), shownMs - offsetMs(shownMs + DAY_MS)];
  const real = candidates.filter((instant) => instant + offsetMs(instant) === shownMs);
  return real.length > 0 ? Math.min(...real) : Math.max(...candidates);
}
