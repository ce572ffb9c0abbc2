import { expect, test } from 'vitest';
import { createLifecycle } from '../../kit/lifecycle.ts';
import { type LogFields, silentLog } from '../../kit/log.ts';

function recorded() {
  const errors: [string, LogFields | undefined][] = [];
  return {
    errors,
    log: { ...silentLog, error: (event: string, f?: LogFields) => void errors.push([event, f]) },
  };
}

test('stops in reverse order, once, however often it is asked', async () => {
  const order: string[] = [];
  const life = createLifecycle(silentLog);
  for (const name of ['store', 'queue', 'api']) life.onStop(name, () => void order.push(name));
  await Promise.all([life.stop(1000), life.stop(1000)]);
  expect(order).toEqual(['api', 'queue', 'store']);
});

test('a step that fails is logged and the rest still stop', async () => {
  const { errors, log } = recorded();
  const life = createLifecycle(log);
  let stopped = false;
  life.onStop('store', () => {
    stopped = true;
  });
  life.onStop('queue', () => {
    throw new Error('disk gone');
  });
  await life.stop(1000);
  expect(stopped).toBe(true);
  expect(errors).toEqual([['stop_failed', { name: 'queue', reason: 'disk gone' }]]);
});

test('a step that never ends is left behind at the deadline', async () => {
  const { errors, log } = recorded();
  const life = createLifecycle(log);
  life.onStop('queue', () => new Promise<void>(() => undefined));
  await life.stop(1);
  expect(errors).toEqual([['stop_late', { name: 'queue' }]]);
});
