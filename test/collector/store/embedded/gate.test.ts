// The gate lets so many in, keeps the order of those who wait, and turns away who comes when the line is full.

import { expect, test } from 'vitest';
import { createGate, GateFull } from '../../../../collector/store/embedded/gate.ts';

/** Work that goes on until it is let go. */
function job(log: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = async () => {
    log.push(name);
    await promise;
    return name;
  };
  return { work, finish: resolve };
}

test('runs as many as fit, then in the order they came', async () => {
  const gate = createGate(2, 10);
  const log: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => job(log, name));
  const passing = [a, b, c, d].map((one) => gate.pass(one!.work));
  await Promise.resolve();
  expect(log).toEqual(['a', 'b']);
  b!.finish();
  await passing[1];
  c!.finish();
  await passing[2];
  a!.finish();
  d!.finish();
  expect(await Promise.all(passing)).toEqual(['a', 'b', 'c', 'd']);
  expect(log).toEqual(['a', 'b', 'c', 'd']);
});

test('turns away who finds the line full, and lets others in later', async () => {
  const gate = createGate(1, 1);
  const first = job([], 'first');
  const running = gate.pass(first.work);
  const waiting = gate.pass(async () => 'second');
  await expect(gate.pass(async () => 'third')).rejects.toBeInstanceOf(GateFull);
  first.finish();
  expect(await Promise.all([running, waiting])).toEqual(['first', 'second']);
  expect(await gate.pass(async () => 'fourth')).toBe('fourth');
});

test('gives room back when work fails', async () => {
  const gate = createGate(1, 0);
  await expect(gate.pass(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await gate.pass(async () => 'next')).toBe('next');
});
