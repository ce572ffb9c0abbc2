// A mistyped agent is told before anything is started for it: no port is opened, no folder made.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Command } from '../../cli/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'outrider-agent-name-'));
const CONFIG = join(folder, 'outrider.yaml');
const DATA = join(folder, 'data');
writeFileSync(CONFIG, 'budgets: none\nagents: { scout: {} }\n');
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['up', ['--agent', 'scuot']],
  ['up', ['--agent', 'scuot/one']],
  ['sidecar', ['--agent', 'scuot']],
  ['env', ['--agent', 'scuot']],
  ['run', ['--agent', 'scuot', '--', 'true']],
])('outrider %s %j', async (name, args) => {
  const { run } = (await import(`../../cli/${name}.ts`)) as Command;
  const io = {
    stdout: () => undefined,
    stderr: () => undefined,
    env: { OUTRIDER_CONFIG: CONFIG, OUTRIDER_DATA: DATA },
  };
  await expect(run(args, io)).rejects.toThrow('No agent named scuot is in the config; it knows scout.');
  expect(existsSync(DATA)).toBe(false);
});
