// Fetches from the site at ORIGIN with every tool an agent may have, told nothing but what its environment says. One JSON
// line for each: what it was, how it ended, the last of what it said.

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'fetching-'));
/** pip's own settings on this machine are not what is tried. */
const env = { ...process.env, PIP_CONFIG_FILE: '/dev/null' };
const URLLIB = 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())';
const REQUESTS =
  'import sys; from pip._vendor import requests as r; a = r.get(sys.argv[1]); a.raise_for_status(); print(a.text)';
const FETCH = `const a = await fetch(process.argv[1]); console.log(await a.text()); process.exitCode = a.ok ? 0 : 1;`;

const TOOLS: Readonly<Record<string, (part: string) => readonly [string, ...string[]]>> = {
  curl: (part) => ['curl', '-sS', '--fail-with-body', `${part}/page.txt`],
  git: (part) => ['git', 'clone', '-q', `${part}/repository.git`, join(folder, part.split('/').at(-1)!)],
  pip: (part) => [
    'python3',
    '-m',
    'pip',
    'install',
    '-vv',
    '--target',
    join(folder, 'packages'),
    ...INDEX(part),
  ],
  urllib: (part) => ['python3', '-c', URLLIB, `${part}/page.txt`],
  requests: (part) => ['python3', '-c', REQUESTS, `${part}/page.txt`],
  fetch: (part) => [process.execPath, '--input-type=module', '-e', FETCH, `${part}/page.txt`],
};
const INDEX = (part: string): string[] => [
  ...['--disable-pip-version-check', '--no-cache-dir', '--retries', '0'],
  ...['--index-url', `${part}/simple`, 'demo-package'],
];

for (const part of ['open', 'closed']) {
  for (const [tool, command] of Object.entries(TOOLS)) {
    const [name, ...args] = command(`${process.env.ORIGIN}/${part}`);
    const { status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', env });
    process.stdout.write(
      `${JSON.stringify({ tool, part, status, said: `${stdout}${stderr}`.slice(-6_000) })}\n`,
    );
  }
}
const own = spawnSync('curl', ['-sS', '--fail-with-body', 'http://127.0.0.1:9/'], { encoding: 'utf8' });
process.stdout.write(
  `${JSON.stringify({ tool: 'curl', part: 'loopback', status: own.status, said: own.stdout })}\n`,
);
