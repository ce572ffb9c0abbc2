// Child processes of the benchmarks: started pinned to a core, ready when they say so, measured from /proc.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';

export interface Running {
  readonly child: ChildProcess;
  /** The JSON lines it printed when ready, in order. */
  readonly ready: readonly Record<string, unknown>[];
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** Starts `node ARGS` on one core and waits for `lines` ready lines (or for `until` to answer, without any). */
export async function startNode(
  args: readonly string[],
  options: { cpu: number; env?: NodeJS.ProcessEnv; lines?: number; cwd?: string },
): Promise<Running> {
  const began = performance.now();
  const child = spawn('taskset', ['-c', options.cpu === 1 ? '0,1' : '0', process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors = (errors + String(text)).slice(-4000);
  });
  const ready: Record<string, unknown>[] = [];
  const wanted = options.lines ?? 1;
  if (wanted > 0) {
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{')) continue;
      ready.push(JSON.parse(line) as Record<string, unknown>);
      if (ready.length === wanted) break;
    }
    if (ready.length < wanted) throw new Error(`${args.join(' ')} did not become ready: ${errors}`);
  }
  const readyMs = performance.now() - began;
  return {
    child,
    ready,
    readyMs,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
      }),
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}

export async function untilAnswers(url: string, deadlineMs = 15_000): Promise<void> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    try {
      await fetch(url, { signal: AbortSignal.timeout(1_000) });
      return;
    } catch (failure) {
      if (performance.now() > until) throw new Error(`${url} does not answer`, { cause: failure });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Resident memory of one process, in MB (10⁶ bytes). */
export function residentMegabytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

/** The most resident memory that a process had since its start, or since `forgetPeak`, in MB (10⁶ bytes). */
export function peakMegabytes(pid: number): number {
  const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** USER_HZ, which Linux fixes for /proc. */
const TICKS_PER_SECOND = 100;

/** What a process has used of its cores so far, in the kernel too. */
export function cpuSeconds(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export const median = (numbers: readonly number[]): number => percentile(numbers, 50);

/** By nearest rank. */
export function percentile(numbers: readonly number[], p: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * p) / 100) - 1)] ?? Number.NaN;
}
