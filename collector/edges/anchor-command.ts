// A command that takes a checkpoint away: it gets the signed note on its standard input, and has it for good when it ends
// with 0. It runs without a shell, in its own group, so that nothing of it is left when its time is over.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SignedCheckpoint } from '../audit/growth.ts';

export const COMMAND_MS_MAX = 30_000;
const TOLD_CHARACTERS_MAX = 300;

/** Rejects with a sentence where it does not end with 0 in time. */
export async function anchorByCommand(
  [program = '', ...args]: readonly string[],
  { note, origin, size }: SignedCheckpoint,
  stop: AbortSignal,
  timeoutMs: number = COMMAND_MS_MAX,
): Promise<void> {
  const env = { ...process.env, OUTRIDER_ANCHOR_ORIGIN: origin, OUTRIDER_ANCHOR_SIZE: String(size) };
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true, env });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told = (told + text).slice(0, TOLD_CHARACTERS_MAX);
  });
  child.stdin.on('error', () => undefined); // one that reads nothing is judged by how it ends
  child.stdin.end(note);
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const signal = AbortSignal.any([stop, late]);
    const [code, killed] = (await once(child, 'exit', { signal })) as [number | null, string | null];
    if (code !== 0)
      throw new Error(`${program} ended with ${code ?? killed}: ${told.trim() || 'it said nothing'}`);
  } catch (failure) {
    endGroup(child.pid);
    if (late.aborted)
      throw new Error(`${program} took longer than ${timeoutMs / 1000} s.`, { cause: failure });
    throw failure;
  } finally {
    child.stderr.destroy();
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ESRCH') throw failure;
  }
}
