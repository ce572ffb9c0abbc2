// `outrider audit export` as a user may mistype it: nothing is asked, and no folder is made.

import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../../../cli/audit/export.ts';
import { UsageError } from '../../../cli/command.ts';

const folder = join(mkdtempSync(join(tmpdir(), 'audit-export-')), 'export');
const io = { stdout: () => undefined, stderr: () => undefined, env: {} };

it.each([
  [
    ['--since', '2026-11-22T10:00:00Z', '--until', '2026-11-22T09:00:00Z'],
    '--since is a time before --until.',
  ],
  [
    ['--since', '2026-11-22T10:00:00Z', '--until', '2026-11-22T10:00:00Z'],
    '--since is a time before --until.',
  ],
  [['--since', 'yesterday'], '--since is a time like 2026-11-21T09:00:00Z.'],
])('refuses %j', async (flags, sentence) => {
  await expect(run([folder, ...flags], io)).rejects.toThrow(new UsageError(sentence));
  expect(existsSync(folder)).toBe(false);
});
