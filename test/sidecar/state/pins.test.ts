// What a sidecar makes of the definitions it sees and of those it is told.

import { expect, test } from 'vitest';
import type { ToolLine } from '../../../contract/tool.ts';
import { createPins, type Pins } from '../../../sidecar/state/pins.ts';

const TOOL = { upstream: 'files', tool: 'read_file' };
const A = { ...TOOL, digest: 'a' };
const B = { ...TOOL, digest: 'b' };
const line = (digest: string, seen: string | null): ToolLine => ({
  ...TOOL,
  digest,
  state: seen === null ? 'pinned' : 'changed',
  seen_digest: seen,
  since: '2026-11-21T00:00:00.000Z',
  accepted_by: 'scout',
});
const closed = (pins: Pins): boolean => pins.changed('files', 'read_file');
const news: number[] = [];
const open = (): Pins => createPins(() => void news.push(1));

test('the first definition holds, another closes the tool, and the first again does not open it', () => {
  const pins = open();
  expect(closed(pins)).toBe(false);
  expect([pins.see(A), closed(pins)]).toEqual([true, false]);
  expect([pins.see(B), closed(pins)]).toEqual([false, true]);
  expect([pins.see(A), closed(pins)]).toEqual([false, true]);
  expect(pins.changed('other', 'read_file')).toBe(false);
});

test('what the fleet accepted holds, also over what was seen first here', () => {
  const pins = open();
  pins.see(B);
  pins.learn([line('a', null)]);
  expect([pins.see(A), closed(pins)]).toEqual([false, true]);
  pins.told(pins.untold());
  pins.learn([line('b', null)]);
  expect([pins.see(B), closed(pins)]).toEqual([true, false]);
});

test('a change that another sidecar saw closes the tool here', () => {
  const pins = open();
  pins.see(A);
  pins.told(pins.untold());
  pins.learn([line('a', 'b')]);
  expect(closed(pins)).toBe(true);
});

test('what was seen and not told yet is not forgotten by an answer that is older', () => {
  const pins = open();
  pins.see(A);
  pins.told(pins.untold());
  pins.see(B);
  pins.learn([line('a', null)]);
  expect(closed(pins)).toBe(true);
  expect(pins.untold()).toEqual([B]);
});

test('only news is told', () => {
  const pins = open();
  news.length = 0;
  pins.see(A);
  pins.see(A);
  expect([news.length, pins.untold()]).toEqual([1, [A]]);
  pins.told([A]);
  pins.see(A);
  expect([news.length, pins.untold()]).toEqual([1, []]);
});

test('a server that makes up names takes no other server’s places', () => {
  const pins = open();
  for (let i = 0; i < 25_000; i++) pins.see({ ...A, upstream: 'flood', tool: `t${i}` });
  pins.see(A);
  expect([pins.see(B), closed(pins), pins.untold().length]).toEqual([false, true, 1_001]);
});
