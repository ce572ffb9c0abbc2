// An event noted in the control database reaches the store exactly once, though the collector is killed on the way.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { copyPostgres, copyStore } from '../../support/empty-stores.ts';
import { temporaryDirectory } from '../../support/processes.ts';

const SCRIPT = fileURLToPath(new URL('outbox-process.ts', import.meta.url));

async function run(...args: readonly string[]): Promise<{ signal: string | null; output: string }> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const output = await text(child.stdout);
  const [, signal] = (await exited) as [number | null, string | null];
  return { signal, output };
}

test('killed before the queue has it, and again after', { timeout: 90_000 }, async () => {
  const directory = temporaryDirectory('outrider-outbox');
  copyPostgres(join(directory, 'control'));
  copyStore(join(directory, 'store'));
  expect(await run(directory, 'note', 'before')).toEqual({ signal: 'SIGKILL', output: '' });
  expect(await run(directory, 'tell', 'after')).toEqual({ signal: 'SIGKILL', output: '' });
  const { signal, output } = await run(directory, 'tell');
  expect(signal).toBeNull();
  expect(JSON.parse(output)).toEqual({ records: '1', events: '1', sealed: '1' });
});
