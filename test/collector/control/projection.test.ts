import { describe, expect, test } from 'vitest';
import { projectionOf, type Spending } from '../../../collector/control/projection.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 1);
const NONE = { atMs: 0, posted: 0n };

const spending = (of: Partial<Spending>): Spending => ({
  posted: 10n,
  limit: 100n,
  startsAtMs: START_MS,
  endsAtMs: START_MS + 30 * DAY_MS,
  marks: [NONE, NONE],
  ...of,
});

describe('a projection', () => {
  test('goes on as the window has so far, to its end', () => {
    expect(projectionOf(spending({}), START_MS + 10 * DAY_MS)).toEqual({
      projected: 30n,
      byLastHour: null,
      usedUpAtMs: null,
    });
  });

  test('says when all is spent at that pace', () => {
    const { projected, usedUpAtMs } = projectionOf(spending({ posted: 50n }), START_MS + 10 * DAY_MS);
    expect(projected).toBe(150n);
    expect(usedUpAtMs).toBe(START_MS + 20 * DAY_MS);
  });

  test('says when all is spent at the pace of the last hour, where that is faster', () => {
    const nowMs = START_MS + 10 * DAY_MS;
    const marks = [
      { atMs: nowMs - HOUR_MS / 4, posted: 8n },
      { atMs: nowMs - HOUR_MS, posted: 5n },
    ] as const;
    const { projected, byLastHour, usedUpAtMs } = projectionOf(spending({ marks }), nowMs);
    expect(projected).toBe(30n);
    expect(byLastHour).toBe(10n + 5n * 24n * 20n);
    expect(usedUpAtMs).toBe(nowMs + 18 * HOUR_MS);
  });

  test('takes an hour without spending for what it is', () => {
    const nowMs = START_MS + 10 * DAY_MS;
    const marks = [{ atMs: nowMs - 2 * HOUR_MS, posted: 5n }, NONE] as const;
    expect(projectionOf(spending({ marks }), nowMs).byLastHour).toBe(10n);
  });

  test.each([
    ['a month that has just begun', spending({}), START_MS + 2 * HOUR_MS],
    ['an hour that has just begun', spending({ endsAtMs: START_MS + HOUR_MS }), START_MS + 9 * 60_000],
    ['a task', spending({ startsAtMs: 0, endsAtMs: null }), START_MS],
  ])('is null where too little is known: %s', (_, early, nowMs) => {
    expect(projectionOf(early, nowMs)).toEqual({ projected: null, byLastHour: null, usedUpAtMs: null });
  });

  test('of a budget that is used up is now, with no budget at all too', () => {
    const nowMs = START_MS + 10 * DAY_MS;
    expect(projectionOf(spending({ posted: 100n }), nowMs).usedUpAtMs).toBe(nowMs);
    expect(projectionOf(spending({ posted: 0n, limit: 0n }), nowMs).usedUpAtMs).toBe(nowMs);
  });

  test('loses no unit: the last nanodollar of a month of a thousandth each second', () => {
    const posted = 10n * 86_400n * 1_000_000n;
    const { projected } = projectionOf(spending({ posted, limit: 10n ** 18n }), START_MS + 10 * DAY_MS);
    expect(projected).toBe(3n * posted);
  });
});
