// What a sidecar makes of the modes it is told.

import { expect, test } from 'vitest';
import { createModes } from '../../../sidecar/state/modes.ts';
import { manualClock } from '../../support/manual-clock.ts';

test('a mode holds for the agent it names, until its time is over', () => {
  const clock = manualClock();
  const modes = createModes(clock);
  expect(modes.of('scout')).toBe(undefined);
  expect(modes.learn('scout', { mode: 'observe', ms_left: 1000 })).toBe(true);
  expect([modes.of('scout'), modes.of('other')]).toEqual(['observe', undefined]);
  clock.advance(999);
  expect(modes.of('scout')).toBe('observe');
  clock.advance(1);
  expect(modes.of('scout')).toBe(undefined);
});

test('each time it is told, the time begins anew, and null ends it', () => {
  const clock = manualClock();
  const modes = createModes(clock);
  modes.learn('scout', { mode: 'observe', ms_left: 1000 });
  clock.advance(900);
  expect(modes.learn('scout', { mode: 'observe', ms_left: 1000 })).toBe(false);
  clock.advance(900);
  expect(modes.of('scout')).toBe('observe');
  expect(modes.learn('scout', null)).toBe(true);
  expect(modes.learn('scout', null)).toBe(false);
  expect(modes.of('scout')).toBe(undefined);
});

test('enforcing may have no end', () => {
  const clock = manualClock();
  const modes = createModes(clock);
  modes.learn('scout', { mode: 'enforce', ms_left: null });
  clock.advance(366 * 24 * 3_600_000);
  expect(modes.of('scout')).toBe('enforce');
});
