// `outrider alerts`: what is refused before a collector is asked.

import { expect, test } from 'vitest';
import { run } from '../../cli/alerts.ts';

const alerts = (...args: string[]) =>
  run(args, { stdout: () => undefined, stderr: () => undefined, env: { OUTRIDER_TOKEN: 'orj_x' } });

test.each([
  [['list', 'scout'], '`scout` is one word too many'],
  [['test', 'scout'], '`scout` is one word too many'],
  [['ack', 'error-rate', 'scout', '--reason', 'mine'], '`scout` is one word too many'],
  [['silence', 'agent=a', '--end', '1'], '`agent=a` is one word too many'],
  [['silence', '--end', 'first'], '--end takes the number of a silence'],
  [['silence', 'agent=a', '--for', '31d', '--reason', 'moved'], 'at most 30d'],
  [['silence', 'agent=a', '--for', '0s', '--reason', 'moved'], 'more than zero'],
])('%j', async (args, sentence) => {
  await expect(alerts(...args)).rejects.toThrow(sentence);
});
