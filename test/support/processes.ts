// Outrider's own commands as real processes: started, waited for until they say they are ready, killed.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { copyEmptyStores } from './empty-stores.ts';

const CLI = new URL('../../bin/outrider.js', import.meta.url).pathname;
/** What runs `outrider`: this Node on this clone, unless a test names another Node or an installed package. */
export type Program = readonly [node: string, entry: string];
const HERE: Program = [process.execPath, CLI];

export interface Started {
  readonly child: ChildProcess;
  /** The ready lines, by process name. */
  readonly listen: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Everything it wrote, both streams. */
  output(): string;
  /** Resolves with the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export function temporaryDirectory(name = 'outrider'): string {
  return mkdtempSync(join(tmpdir(), `${name}-`));
}

export function writeConfig(directory: string, yaml: string): string {
  const path = join(directory, 'outrider.yaml');
  writeFileSync(path, yaml);
  return path;
}

/** Starts `outrider ARGS` and resolves once `ready` processes have said so. Rejects with its output when it ends first. */
export async function startOutrider(
  args: readonly string[],
  options: { ready: number; env?: NodeJS.ProcessEnv; cwd?: string; program?: Program },
): Promise<Started> {
  const [node, entry] = options.program ?? HERE;
  if (!options.program) prepareData(args, options.env?.OUTRIDER_DATA);
  const child = spawn(node, [entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  let output = '';
  const listen: Record<string, Record<string, string>> = {};
  const exited = new Promise<number | null>((resolve) => void child.once('exit', (code) => resolve(code)));
  child.stderr.on('data', (text) => {
    output += String(text);
  });
  await new Promise<void>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      output += `${line}\n`;
      if (!line.startsWith('{')) return;
      const ready = JSON.parse(line) as { process: string; listen: Record<string, string> };
      listen[ready.process] = ready.listen;
      if (Object.keys(listen).length === options.ready) resolve();
    });
    void exited.then((code) =>
      reject(new Error(`outrider ${args.join(' ')} ended with ${code}:\n${output}`)),
    );
    if (options.ready === 0) resolve();
  });
  return {
    child,
    listen,
    output: () => output,
    exited,
    async kill(signal) {
      child.kill(signal);
      await exited;
    },
  };
}

/** A collector that is told where its data is need not make its stores. */
function prepareData(args: readonly string[], elsewhere: string | undefined): void {
  const [command] = args;
  const at = args.indexOf('--data');
  const data = at > 0 ? args[at + 1] : elsewhere;
  if (data && (command === 'up' || command === 'collector')) copyEmptyStores(data);
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `outrider ARGS` to its end. */
export function runOutrider(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; program?: Program } = {},
): Promise<Ended> {
  const [node, entry] = options.program ?? HERE;
  return runProgram(node, [entry, ...args], { ...process.env, ...options.env }, options.cwd);
}

/** Runs any program to its end, without input. */
export async function runProgram(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
): Promise<Ended> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env, ...(cwd ? { cwd } : {}) });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  return { code, stdout, stderr };
}

/** GETs JSON from the control API with the join token of a data directory. */
export async function control<T>(base: string, dataDirectory: string, path: string): Promise<T> {
  const token = readFileSync(join(dataDirectory, 'token'), 'utf8').trim();
  const answer = await fetch(base + path, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** POSTs JSON to the control API with the join token of a data directory. */
export async function order(
  base: string,
  dataDirectory: string,
  path: string,
  message: object,
): Promise<void> {
  const token = readFileSync(join(dataDirectory, 'token'), 'utf8').trim();
  const answer = await fetch(base + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(message),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** Rows of a query at the read-only SQL door. */
export async function rows<T = Record<string, unknown>>(sqlUrl: string, query: string): Promise<T[]> {
  const answer = await fetch(`${sqlUrl}/?default_format=JSONEachRow`, { method: 'POST', body: query });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

const ASK_AGAIN_AFTER_MS = { first: 50, longest: 250, growth: 1.3 };

/** Asks again, less and less often, until `good` holds; rejects with the last answer at the deadline. */
export async function until<T>(
  ask: () => Promise<T>,
  good: (value: T) => boolean,
  deadlineMs = 40_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  const { first, longest, growth } = ASK_AGAIN_AFTER_MS;
  for (let pauseMs = first; ; pauseMs = Math.min(longest, pauseMs * growth)) {
    const value = await ask();
    if (good(value)) return value;
    if (performance.now() > end)
      throw new Error(`not reached in ${deadlineMs} ms; last seen: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
