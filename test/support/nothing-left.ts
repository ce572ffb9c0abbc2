// What one file of tests leaves behind goes with it, not with the whole run: a process that it started and did not end,
// because a hook failed or ran out of time, must not take the machine from the next file, and the folders of all files
// together are gigabytes, which take longer to remove at the end than Vitest waits.

import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

// Not in the folder of the file before it, which is gone: one process may take several files.
const folder = mkdtempSync(join(process.env.OUTRIDER_TESTS_FOLDER ?? tmpdir(), 'file-'));
process.env.TMPDIR = folder;

afterAll(async () => {
  for (const pid of childrenOf(process.pid)) {
    console.warn(`still running after the last test, ended now: ${commandOf(pid)}`);
    end(pid);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** What it started too, before it: nobody is there to do so afterwards. */
function end(pid: number): void {
  const started = childrenOf(pid);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return; // it has just gone by itself
  }
  started.forEach(end);
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

const commandOf = (pid: number): string => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no such process any more, or no Linux
  }
}
