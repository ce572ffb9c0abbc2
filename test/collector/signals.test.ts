// A segment's id says what it holds, also one that an earlier release wrote.

import { expect, test } from 'vitest';
import { idEnding, SIGNALS, signalOf } from '../../collector/signals.ts';

test.each(SIGNALS)('%s are told from their ids, whole or in halves', (signal) => {
  const id = `000000000042-1f3a9c07${idEnding(signal)}`;
  expect(signalOf(id)).toBe(signal);
  expect(signalOf(`${id}.0.1`)).toBe(signal);
});

test('an id without a signal is of traces, as all were before there were others', () => {
  expect(signalOf('000000000042-1f3a9c07')).toBe('traces');
  expect(idEnding('traces')).toBe('');
});
