// What one process compiled another need not: also where the first was killed before it came to its end.

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/processes.ts';

const run = promisify(execFile);
const FILE = new URL('../../kit/compile-cache.ts', import.meta.url).href;

/** Runs it in a process whose cache lies there, or in one that has none. */
async function inProcess(script: string, cache?: string) {
  const text = `import { keepCompiled, sharedCompileCache } from '${FILE}'; ${script}`;
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const more = cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
  return run(process.execPath, ['--input-type=module', '-e', text], { env: { ...env, ...more } });
}

test('a process that is killed leaves what it compiled, and tells those it starts where', async () => {
  const cache = temporaryDirectory();
  const killed = inProcess(
    'console.log(JSON.stringify(sharedCompileCache())); keepCompiled(); process.kill(process.pid, "SIGKILL");',
    cache,
  );
  await expect(killed).rejects.toMatchObject({
    signal: 'SIGKILL',
    stdout: `${JSON.stringify({ NODE_COMPILE_CACHE: cache })}\n`,
  });
  const [version] = readdirSync(cache);
  expect(readdirSync(`${cache}/${version}`).length).toBeGreaterThan(0);
});

test('without a cache there is none to share', async () => {
  const { stdout } = await inProcess('console.log(JSON.stringify(sharedCompileCache())); keepCompiled();');
  expect(stdout).toBe('{}\n');
});
