import { describe, expect, test } from 'vitest';
import type { BudgetWindow } from '../../contract/config/config.ts';
import { calendarOf } from '../../contract/windows.ts';

const HOUR_MS = 3_600_000;

// zone, window, an instant in it, its first instant, its end: all in UTC
const TABLE: readonly [string, BudgetWindow, string, string, string][] = [
  ['UTC', 'hour', '2026-03-29T01:59:59.999Z', '2026-03-29T01:00:00Z', '2026-03-29T02:00:00Z'],
  ['UTC', 'day', '2024-02-29T12:00:00Z', '2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z'],
  ['UTC', 'month', '2024-02-29T23:59:59Z', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
  ['UTC', 'month', '2026-12-31T23:59:59Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['UTC', 'week', '2027-01-01T00:00:00Z', '2026-12-28T00:00:00Z', '2027-01-04T00:00:00Z'],
  ['UTC', 'week', '2026-11-15T23:59:59Z', '2026-11-09T00:00:00Z', '2026-11-16T00:00:00Z'],
  ['UTC', 'week', '2026-11-16T00:00:00Z', '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z'],
  // Berlin, clocks forward on 29 March 2026 and back on 25 October 2026
  ['Europe/Berlin', 'day', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
  ['Europe/Berlin', 'day', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
  ['Europe/Berlin', 'hour', '2026-10-25T00:30:00Z', '2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z'],
  ['Europe/Berlin', 'hour', '2026-10-25T01:30:00Z', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z'],
  ['Europe/Berlin', 'month', '2026-03-15T00:00:00Z', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z'],
  ['Europe/Berlin', 'week', '2026-03-29T12:00:00Z', '2026-03-22T23:00:00Z', '2026-03-29T22:00:00Z'],
  ['America/New_York', 'day', '2027-01-01T04:59:59Z', '2026-12-31T05:00:00Z', '2027-01-01T05:00:00Z'],
  ['Asia/Kolkata', 'hour', '2026-06-01T10:45:00Z', '2026-06-01T10:30:00Z', '2026-06-01T11:30:00Z'],
  ['Pacific/Apia', 'day', '2026-06-01T11:30:00Z', '2026-06-01T11:00:00Z', '2026-06-02T11:00:00Z'],
  // Midnight does not exist in Cairo on 24 April 2026, and exists twice in Havana on 1 November 2026
  ['Africa/Cairo', 'day', '2026-04-24T12:00:00Z', '2026-04-23T22:00:00Z', '2026-04-24T21:00:00Z'],
  ['Africa/Cairo', 'day', '2026-04-23T12:00:00Z', '2026-04-22T22:00:00Z', '2026-04-23T22:00:00Z'],
  ['America/Havana', 'day', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'],
];

test.each(TABLE)('%s %s at %s', (zone, window, at, starts, ends) => {
  const found = calendarOf(zone)(window, Date.parse(at));
  expect(new Date(found.startsAtMs)).toEqual(new Date(starts));
  expect(new Date(found.endsAtMs!)).toEqual(new Date(ends));
});

describe('over two years, every quarter of an hour lies in one window, and windows follow each other', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kathmandu', 'Africa/Cairo']) {
    test.each(['hour', 'day', 'week', 'month'] as const)(`${zone} %s`, (window) => {
      const calendar = calendarOf(zone);
      let current = calendar(window, Date.UTC(2026, 0, 1));
      for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2028, 0, 1); at += HOUR_MS / 4) {
        const found = calendar(window, at);
        if (found.startsAtMs !== current.startsAtMs) expect(found.startsAtMs).toBe(current.endsAtMs);
        if (at < found.startsAtMs || at >= found.endsAtMs!)
          throw new Error(`${new Date(at).toISOString()} is outside`);
        current = found;
      }
    });
  }
});

test('a task lasts as long as it lasts; a zone that is none is refused', () => {
  expect(calendarOf('UTC')('task', 1)).toEqual({ startsAtMs: 0, endsAtMs: null });
  expect(() => calendarOf('Mars/Olympus')).toThrow(RangeError);
});
