// What the long-running commands share: the config or exit 78, the ready line, the graceful stop.

import { hostname } from 'node:os';
import { agentNamed, type Config } from '../contract/config/config.ts';
import { ConfigError, formatProblem, type Problem } from '../contract/config/problems.ts';
import { keepCompiled } from '../kit/compile-cache.ts';
import { createLog, type Log } from '../kit/log.ts';
import { EXIT, type Io } from './command.ts';
import { findConfig } from './config-file.ts';

export const DEFAULT_DATA = './.outrider';
/** After draining: giving leases back, shipping records, closing stores. */
export const STOP_MS = 60_000;
const PROBE_MS = 1_000;

/**
 * The config in force, or undefined after saying on stderr everything that is wrong with it: mistakes, and whatever it
 * asks for that this release does not enforce. The caller then exits with 78.
 */
export async function configOrExplain(flag: string | undefined, io: Io): Promise<Config | undefined> {
  try {
    const { path, config, warnings } = await findConfig({ flag, env: io.env });
    const unkept = path === null ? [] : await unenforced(config);
    if (unkept.length > 0) {
      explain(unkept, io);
      io.stderr('This release would not keep what these lines ask for, so it does not start with them.\n');
      return undefined;
    }
    const log = createLog('config', (line) => io.stderr(line));
    if (path === null)
      log.info('config.none', {
        why: 'no outrider.yaml: calls are observed; none is refused but to a forbidden destination',
      });
    for (const warning of warnings) log.warn('config.warning', { warning: formatProblem(warning) });
    return config;
  } catch (failure) {
    if (!(failure instanceof ConfigError)) throw failure;
    explain(failure.problems, io);
    return undefined;
  }
}

/** Loaded apart: reading positions again needs the YAML library, and most starts have a file without problems. */
export async function unenforced(config: Config): Promise<readonly Problem[]> {
  const { notYetEnforced } = await import('../contract/config/not-yet-enforced.ts');
  return notYetEnforced(config);
}

function explain(problems: readonly Problem[], io: Io): void {
  for (const problem of problems) io.stderr(`${formatProblem(problem)}\n`);
}

/** Whose sidecar it is when nobody said: the first agent whose name is no pattern. */
export function firstAgent(config: Config): string {
  for (const name of config.agents.keys()) if (!name.includes('*')) return name;
  throw new Error('The config names no agent but patterns: say whose sidecar it is with --agent NAME.');
}

/** Before anything is started for it: a mistyped name would come to light when a collector has opened its stores. */
export function refuseUnknownAgent(config: Config, name: string | null): void {
  if (name === null || agentNamed(config, name)) return;
  throw new Error(
    `No agent named ${name} is in the config; it knows ${[...config.agents.keys()].join(', ')}.`,
  );
}

/** `NAME[/INSTANCE]`; the instance is the host's name when not given, and an empty name is no agent at all. */
export function namedAgent(text: string): { agent: string | null; instance: string } {
  const [agent = '', instance = ''] = text.split('/');
  return { agent: agent || null, instance: instance || hostname() };
}

/** One JSON line on stdout when a process is ready. What it compiled is kept, should it be killed. */
export function announce(
  io: Io,
  process_: string,
  listen: Readonly<Record<string, string>>,
  more: object = {},
): void {
  io.stdout(`${JSON.stringify({ event: 'ready', process: process_, listen, ...more })}\n`);
  keepCompiled();
}

/** Resolves with the signal's name at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first = true;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (!first) process.exit(EXIT.failed);
      first = false;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

export function logTo(io: Io, process_: string): Log {
  return createLog(process_, (line) => io.stderr(line));
}

/** Whether a collector answers there. */
export async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(PROBE_MS) });
    return answer.ok;
  } catch (failure) {
    if (failure instanceof Error) return false;
    throw failure;
  }
}
