// The tarball installed by npm itself, from the registry it is set to use, and run on every Node that is supported.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectWhole, pack, programIn } from '../packaging/package.ts';
import { runOutrider, temporaryDirectory } from '../support/processes.ts';

function npmInstall(...args: readonly string[]): string {
  const folder = temporaryDirectory('npm');
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', ...args], { cwd: folder, stdio: 'inherit' });
  return folder;
}

/** The oldest line that is supported; the newest runs these tests. */
const node24 = (): string => join(npmInstall('node@24'), 'node_modules/.bin/node');

describe('installed by npm', () => {
  it.each([
    ['this Node', () => process.execPath],
    ['Node 24', node24],
  ])('runs on %s', async (_name, node) => {
    const folder = npmInstall(pack());
    await expectWhole(folder, programIn(folder, node()));
  });

  it('leaves the embedded stores out with --omit=optional', async () => {
    const folder = npmInstall(pack(), '--omit=optional');
    const { code, stderr } = await runOutrider(['collector'], { program: programIn(folder), cwd: folder });
    expect([code, stderr]).toEqual([1, expect.stringContaining('--omit=optional')]);
  });
});
