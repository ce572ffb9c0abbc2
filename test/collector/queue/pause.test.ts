import { expect, it } from 'vitest';
import { createPause } from '../../../collector/queue/pause.ts';

it('lets those inside finish, and those who come wait', async () => {
  const pause = createPause();
  const said: string[] = [];
  const first = Promise.withResolvers<void>();
  const inside = pause.pass(() => first.promise.then(() => said.push('inside')));
  const held = pause.hold();
  const waiting = pause.pass(async () => said.push('waiting'));
  first.resolve();
  const open = await held;
  said.push('held');
  await inside;
  open();
  open();
  await waiting;
  expect(said).toEqual(['inside', 'held', 'waiting']);
});

it('is held by one at a time, and not let go by another’s key', async () => {
  const pause = createPause();
  const first = await pause.hold();
  const second = pause.hold();
  first();
  const open = await second;
  first();
  let passed = false;
  const passing = pause.pass(async () => {
    passed = true;
  });
  await Promise.resolve();
  expect(passed).toBe(false);
  open();
  await passing;
  expect(passed).toBe(true);
});

it('passes on what was thrown and holds nobody after', async () => {
  const pause = createPause();
  await expect(pause.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  (await pause.hold())();
});
