import { describe, expect, it } from 'vitest';
import { createDigests } from '../../../collector/queue/digests.ts';
import { digestOf } from '../../../collector/queue/record.ts';

const HOUR_MS = 3_600_000;
const digest = (number: number) => digestOf(Buffer.from(String(number)));

describe('remembered digests', () => {
  it('are found among many, and others are not', () => {
    const digests = createDigests(100_000);
    for (let number = 0; number < 20_000; number += 1) digests.add(digest(number), number);
    for (let number = 0; number < 20_000; number += 1) expect(digests.has(digest(number))).toBe(true);
    for (let number = 20_000; number < 40_000; number += 1) expect(digests.has(digest(number))).toBe(false);
    expect(digests.size).toBe(20_000);
  });

  it('count once, however often they are added', () => {
    const digests = createDigests(100);
    for (let time = 0; time < 5; time += 1) digests.add(digest(1), time);
    expect(digests.size).toBe(1);
  });

  it('are forgotten with their time', () => {
    const digests = createDigests(1_000);
    for (let hour = 0; hour < 30; hour += 1) digests.add(digest(hour), hour * HOUR_MS);
    digests.forget(6 * HOUR_MS);
    expect(digests.has(digest(4))).toBe(false);
    expect(digests.has(digest(6))).toBe(true);
    expect(digests.has(digest(29))).toBe(true);
  });

  it('never outgrow their bound; the oldest go first', () => {
    const digests = createDigests(800);
    for (let number = 0; number < 5_000; number += 1) {
      digests.add(digest(number), number);
      expect(digests.size).toBeLessThanOrEqual(800);
    }
    expect(digests.size).toBeGreaterThan(600);
    expect(digests.has(digest(4_999))).toBe(true);
    expect(digests.has(digest(0))).toBe(false);
  });

  it('of zeros are digests like any other', () => {
    const digests = createDigests(10);
    expect(digests.has(Buffer.alloc(32))).toBe(false);
    digests.add(Buffer.alloc(32), 0);
    expect(digests.has(Buffer.alloc(32))).toBe(true);
  });
});
