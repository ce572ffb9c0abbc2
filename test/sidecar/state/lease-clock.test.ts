import { expect, test } from 'vitest';
import { leaseClock } from '../../../sidecar/state/leases/lease-clock.ts';

function twoHands() {
  const hands = { wall: 1_000_000, monotonic: 50 };
  const clock = leaseClock({
    nowMs: () => hands.wall,
    monotonicMs: () => hands.monotonic,
    after: () => () => undefined,
  });
  return { hands, clock };
}

test('BUD-17: a wall clock that is set back a day, again and again, lengthens no lease', () => {
  const { hands, clock } = twoHands();
  for (let minute = 1; minute <= 5; minute++) {
    hands.wall -= 86_400_000;
    hands.monotonic += 60_000;
    expect(clock.nowMs()).toBe(1_000_000 + minute * 60_000);
  }
});

test('BUD-21: a machine that slept an hour, its monotonic clock with it, has an hour less of its lease', () => {
  const { hands, clock } = twoHands();
  hands.wall += 3_600_000;
  hands.monotonic += 5;
  expect(clock.nowMs()).toBe(1_000_000 + 3_600_000);
  hands.wall += 10;
  hands.monotonic += 10;
  expect(clock.nowMs()).toBe(1_000_000 + 3_600_010);
});
