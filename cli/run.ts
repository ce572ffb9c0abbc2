// `outrider run`: a command with a sidecar of its own on a free port, and a collector too where none answers. The
// command's stdout stays its own: what Outrider has to say goes to stderr.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants, hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { startCollector } from '../collector/main.ts';
import type { Config } from '../contract/config/config.ts';
import { systemClock } from '../kit/clock.ts';
import { createLifecycle, type Lifecycle } from '../kit/lifecycle.ts';
import { startSidecar } from '../sidecar/main.ts';
import type { Sidecar } from '../sidecar/starting.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { answers, configOrExplain, DEFAULT_DATA, logTo, refuseUnknownAgent, STOP_MS } from './process.ts';
import { proveWay } from './proven-way.ts';
import { writeTrustFiles } from './trust-files.ts';
import { agentVariables, otlpBeside, secretVariables } from './variables.ts';

export const help = `outrider run: a command with a sidecar of its own

Usage: outrider run --agent NAME [--task ID] [--config FILE] [--data DIR] [--collector URL] -- COMMAND ARGUMENT…

The sidecar takes a free port and serves the command alone; a collector is started too where none answers. The
command gets what \`outrider env\` prints: base URLs and placeholder keys, HTTP_PROXY and its kin, and the variables by
which clients trust the local authority; it is started once a request was seen to come through. The task ends with the
command, and so does this: with the same exit code (126 or 127 when it could not be started).

Example: outrider run --agent scout -- node agent.js
`;

const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const SIGNAL_BASE = 128;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const split = args.indexOf('--');
  const [command, ...rest] = split < 0 ? [] : args.slice(split + 1);
  if (command === undefined)
    throw new UsageError('Say what to run after --, as in: outrider run --agent scout -- node agent.js');
  const { values } = parseArgs({
    args: args.slice(0, split),
    options: {
      agent: { type: 'string' },
      task: { type: 'string' },
      config: { type: 'string' },
      data: { type: 'string' },
      collector: { type: 'string' },
    },
  });
  const agent = values.agent ?? io.env.OUTRIDER_AGENT;
  if (!agent) throw new UsageError('Say whose sidecar it is: --agent NAME.');
  const config = await configOrExplain(values.config, io);
  if (!config) return EXIT.config;
  refuseUnknownAgent(config, agent);
  const lifecycle = createLifecycle(logTo(io, 'run'));
  try {
    const dataDirectory = values.data ?? io.env.OUTRIDER_DATA ?? DEFAULT_DATA;
    const given = values.collector ?? io.env.OUTRIDER_COLLECTOR;
    const collector = await collectorFor(config, given, dataDirectory, lifecycle, io);
    const task = values.task ?? `run-${process.pid}-${Date.now().toString(36)}`;
    const sidecar = await startSidecar({
      config: { ...config, listen: { ...config.listen, proxy: '127.0.0.1:0', admin: '127.0.0.1:0' } },
      dataDirectory,
      agent,
      instance: `${hostname()}-${process.pid}`,
      task,
      ...collector,
      env: io.env,
      clock: systemClock,
      log: logTo(io, 'sidecar'),
    });
    lifecycle.onStop('sidecar', () => sidecar.stop());
    const trust = await writeTrustFiles(dataDirectory);
    const variables = agentVariables(config, {
      proxy: sidecar.listen.proxy,
      trust,
      otlp: collector.otlpUrl ?? otlpBeside(collector.collectorUrl, config),
      given: io.env,
    });
    await proveWay(variables);
    return await runChild([command, ...rest], { config, variables }, sidecar, task, io);
  } finally {
    await lifecycle.stop(STOP_MS);
  }
}

/** A collector that answers, or one of our own. */
async function collectorFor(
  config: Config,
  given: string | undefined,
  dataDirectory: string,
  lifecycle: Lifecycle,
  io: Io,
): Promise<{ collectorUrl: string; otlpUrl?: string }> {
  const url = given ?? config.collector;
  if (given !== undefined || (await answers(url))) return { collectorUrl: url };
  const collector = await startCollector({
    config,
    dataDirectory,
    log: logTo(io, 'collector'),
    token: io.env.OUTRIDER_TOKEN || undefined,
    env: io.env,
    clock: systemClock,
  });
  lifecycle.onStop('collector', () => collector.close());
  return { collectorUrl: collector.listen.control, otlpUrl: collector.listen.otlp };
}

async function runChild(
  command: readonly string[],
  { config, variables }: { config: Config; variables: Readonly<Record<string, string>> },
  sidecar: Sidecar,
  task: string,
  io: Io,
): Promise<number> {
  const env: NodeJS.ProcessEnv = { ...io.env, ...variables, OUTRIDER_TASK: task };
  for (const name of secretVariables(config)) if (!(name in variables)) delete env[name];
  const child = spawn(command[0]!, command.slice(1), { stdio: 'inherit', env });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, forward);
  const code = await exitOf(child, command[0]!, io);
  await sidecar.endTask(task, code === 0 ? 'done' : 'failed');
  return code;
}

function exitOf(child: ChildProcess, name: string, io: Io): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (failure: NodeJS.ErrnoException) => {
      io.stderr(
        `${name} could not be started: ${failure.code === 'ENOENT' ? 'there is no such command' : failure.message}.\n`,
      );
      resolve(failure.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE);
    });
    child.once('exit', (code, signal) => resolve(code ?? SIGNAL_BASE + (constants.signals[signal!] ?? 0)));
  });
}
