// The package as npm makes it, unpacked into a folder as an installation would, and what every installation must do.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { REAL_KEY, SAMPLE } from '../end-to-end/fleet.ts';
import {
  control,
  type Program,
  rows,
  runOutrider,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

export const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/** Runs `npm pack`, compiling first; answers where the tarball lies. */
export function pack(): string {
  const folder = temporaryDirectory('pack');
  execFileSync('npm', ['pack', '--pack-destination', folder], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return join(folder, readdirSync(folder)[0]!);
}

/** Unpacks the tarball where `npm install` would; the packages it needs are links to those of this clone. */
export function install(tarball: string, packages: readonly string[]): string {
  const folder = temporaryDirectory('installed');
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'outrider'), { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', join(modules, 'outrider'), '--strip-components=1']);
  for (const name of packages) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  return folder;
}

export const programIn = (folder: string, node = process.execPath): Program => [
  node,
  join(folder, 'node_modules/outrider/bin/outrider.js'),
];

/** Its version, a config checked, `up`, a call through it, and the question what it cost. */
export async function expectWhole(folder: string, program: Program): Promise<void> {
  const provider = await startProvider();
  const config = writeConfig(folder, SAMPLE.replaceAll('{provider}', provider.url));
  const options = { program, cwd: folder, env: { REAL_KEY, OUTRIDER_TOKEN: '' } };
  expect((await runOutrider(['--version'], options)).stdout).toBe(`${manifest.version}\n`);
  const checked = await runOutrider(['policy', 'check', '--config', config], options);
  expect([checked.code, checked.stderr]).toEqual([0, '']);

  const up = await startOutrider(['up', '--config', config], { ...options, ready: 2 });
  try {
    const call = await callThrough(up.listen.sidecar!.proxy!);
    const sql = up.listen.collector!.sql!;
    await until(
      () => rows(sql, `SELECT cost_usd FROM actions WHERE call_id = '${call}' AND status = 'success'`),
      (found) => found.length === 1,
    );
    await expectBesideCode(up.listen.collector!.control!, folder);
    const asked = await runOutrider(['sql', '--url', sql, 'SELECT count() FROM actions'], options);
    expect([asked.code, asked.stderr]).toEqual([0, '']);
  } finally {
    up.child.kill('SIGTERM');
    expect(await up.exited).toBe(0);
    await provider.close();
  }
}

/** What code finds beside itself came along: the console's pages, the alerts' definitions. */
async function expectBesideCode(url: string, folder: string): Promise<void> {
  const page = await (await fetch(`${url}/`)).text();
  const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? 'none';
  expect((await fetch(new URL(script, url))).headers.get('content-type')).toContain('javascript');
  const { definitions } = await control<{ definitions: unknown[] }>(
    url,
    join(folder, '.outrider'),
    '/v1/alerts',
  );
  const files = readdirSync(join(ROOT, 'alerts')).filter((name) => name.endsWith('.yaml'));
  expect(definitions.length).toBe(files.length);
}

/** A chat call that must be answered; its id. */
export async function callThrough(proxy: string): Promise<string> {
  const answer = await fetch(`${proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Say hello.' }] }),
  });
  expect(answer.status, await answer.text()).toBe(200);
  return answer.headers.get('x-outrider-call') ?? '';
}
