// The packed package runs from an empty folder; a sidecar does without the embedded stores, a collector says that it
// does not. The packages it needs are linked here; `npm run soak` installs them for real, on every Node that is supported.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { REAL_KEY, SAMPLE } from '../end-to-end/fleet.ts';
import { runOutrider, startOutrider, writeConfig } from '../support/processes.ts';
import { expectWhole, install, manifest, pack, programIn } from './package.ts';

const FREE = Object.keys(manifest.dependencies);
const EMBEDDED = Object.keys(manifest.optionalDependencies);

let tarball: string;
beforeAll(() => {
  tarball = pack();
});

describe('the package', () => {
  it('holds what runs and nothing that was it before it was compiled', () => {
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    expect(files).toContain('package/bin/outrider.js');
    expect(files).toContain('package/dist/collector/store/migrations/0001-otel-traces.sql');
    expect(files).toContain('package/dist/contract/outrider.schema.json');
    const sources = /\.tsx?$|\/(test|bench|scripts|node_modules|\.outrider)\//;
    expect(files.filter((file) => sources.test(file))).toEqual([]);
  });

  it('runs from an empty folder: version, policy check, up, a call, sql', { timeout: 90_000 }, async () => {
    const folder = install(tarball, [...FREE, ...EMBEDDED]);
    await expectWhole(folder, programIn(folder));
  });
});

describe('without the embedded stores', () => {
  it('every command is there, and says what it does', async () => {
    const program = programIn(install(tarball, FREE), process.execPath);
    const { stdout } = await runOutrider(['--help'], { program });
    const commands = [...stdout.matchAll(/^ {2}(\w[\w-]*) {2,}/gm)].map(([, name]) => name ?? '');
    expect(commands.length).toBeGreaterThan(8);
    const helped = await Promise.all(commands.map((name) => runOutrider([name, '--help'], { program })));
    expect(helped.filter(({ code, stderr }) => code !== 0 || stderr !== '')).toEqual([]);
  });

  it('a sidecar runs', async () => {
    const folder = install(tarball, FREE);
    const provider = await startProvider();
    const yaml = SAMPLE.replaceAll('{provider}', provider.url).replace(
      /budgets: \[[^\]]*\]/g,
      'budgets: none',
    );
    const config = writeConfig(folder, yaml.replace(/task_budgets: none,?/, ''));
    const sidecar = await startOutrider(
      ['sidecar', '--config', config, '--agent', 'scout', '--collector', 'http://127.0.0.1:1'],
      { program: programIn(folder), cwd: folder, ready: 1, env: { REAL_KEY, OUTRIDER_TOKEN: '' } },
    );
    expect(sidecar.listen.sidecar?.proxy).toMatch(/^http:/);
    const free = await fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/models`);
    expect(free.status, await free.text()).toBe(200);
    await sidecar.kill('SIGTERM');
    await provider.close();
  });

  it('a collector says in one sentence what is missing', async () => {
    const folder = install(tarball, FREE);
    const config = writeConfig(folder, SAMPLE.replaceAll('{provider}', 'http://127.0.0.1:1'));
    const { code, stderr } = await runOutrider(['collector', '--config', config], {
      program: programIn(folder),
      cwd: folder,
      env: { OUTRIDER_TOKEN: '' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^The embedded \w+ \(npm package [^)]+\) is not installed here: .*--collector\.$/m,
    );
    expect(stderr).not.toContain('    at ');
  });
});

const OLD_NODE = '/usr/bin/node';
const isOld =
  existsSync(OLD_NODE) &&
  /^v(1\d|2[0-3])\./.test(execFileSync(OLD_NODE, ['--version'], { encoding: 'utf8' }));

describe('on an old Node', () => {
  it.runIf(isOld)('says so in a sentence', async () => {
    const folder = install(tarball, FREE);
    const { code, stdout, stderr } = await runOutrider(['--version'], {
      program: programIn(folder, OLD_NODE),
    });
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toMatch(/^Outrider needs Node 24\.18\.1 or newer and this is [\d.]+:.*\n$/);
  });
});
