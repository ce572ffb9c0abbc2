// `outrider quarantine`: what it will not take, and in which words.

import { expect, test } from 'vitest';
import { UsageError } from '../../cli/command.ts';
import { run } from '../../cli/quarantine.ts';

const io = { stdout: () => undefined, stderr: () => undefined, env: {} };

test.each([
  [['agent/scout'], '--reason TEXT'],
  [['scout', '--reason', 'why'], 'agent/NAME'],
  [['agent/scout', '--for', 'long', '--reason', 'why'], '--for: write a duration'],
  [['agent/scout', '--for', '0s', '--reason', 'why'], '--for: write more than zero'],
  [['agent/scout', 'fleet', '--reason', 'why'], 'quarantine lift|radius SUBJECT'],
  [['lift'], 'Say what'],
  [['lift', 'agent/scout', 'fleet'], 'quarantine lift|radius SUBJECT'],
  [['--reason', 'why', '--for', '1h'], 'Say what'], // nothing is held: a list would look as if
  [['agent/scout', '--reason', 'why', '--since', '1h'], '--since means nothing'],
  [['lift', 'agent/scout', '--for', '1h'], '--for means nothing'],
  [['radius', 'agent/scout', '--since', 'yesterday'], '--since: write a duration'],
])('%j', async (args, sentence) => {
  const failure = await run(args, io).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(UsageError);
  expect((failure as Error).message).toContain(sentence);
});
