// `outrider mcp`: what a client starts in place of a tool server that speaks over stdin and stdout. The server runs as a
// child, and every message between the two goes through a sidecar's pipeline: judged, recorded, paid like any call.
//
//   client ── stdin ──▶ bridge ── POST ──▶ sidecar ── POST ──▶ facade ── stdin ──▶ server
//          ◀─ stdout ──        ◀─ events ──        ◀─ events ──       ◀─ stdout ──
//
// stdout is the protocol's alone: what Outrider has to say goes to stderr, as does what the server says there.

import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Config } from '../contract/config/config.ts';
import { systemClock } from '../kit/clock.ts';
import { DataDirectoryTaken } from '../kit/data-directory.ts';
import { createLifecycle } from '../kit/lifecycle.ts';
import type { Log } from '../kit/log.ts';
import { startSidecar } from '../sidecar/main.ts';
import type { Sidecar, SidecarOptions } from '../sidecar/starting.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { followConfig } from './follow-config.ts';
import { behindStdio, KEY_VARIABLE, stdioUpstream } from './mcp/behind-stdio.ts';
import { startBridge } from './mcp/bridge.ts';
import { type Facade, startFacade } from './mcp/facade.ts';
import { linesOf } from './mcp/lines.ts';
import { type ServerProcess, startServer } from './mcp/server-process.ts';
import { answers, configOrExplain, DEFAULT_DATA, logTo, STOP_MS } from './process.ts';
import { secretVariables } from './variables.ts';

export const help = `outrider mcp: a tool server over stdin and stdout, behind the rules

Usage: outrider mcp UPSTREAM --agent NAME [--config FILE] [--data DIR] [--collector URL] -- COMMAND ARGUMENT…

  UPSTREAM             one that speaks mcp; \`url: stdio\` in the config says that it is only reached so
  --agent NAME         whose calls they are (OUTRIDER_AGENT)
  --collector URL      the collector's control API (OUTRIDER_COLLECTOR; else the config's); while none answers, records
                       wait in the data directory

A client starts this where it would start COMMAND. OUTRIDER_TASK names the task. It ends when the client closes stdin, or
as COMMAND does, with the same exit code (126 or 127 when it could not be started).

Example: outrider mcp files --agent scout -- npx @modelcontextprotocol/server-filesystem /srv/drafts
`;

/** Clients kill what has not left two seconds after they closed stdin; what was not shipped by then is in the journal. */
const LEAVE_AFTER_MS = 750;
/** Servers of one upstream that run at once, each with a journal of its own. */
const INSTANCES_MAX = 64;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { name, command, values } = readArguments(args);
  const agent = values.agent ?? io.env.OUTRIDER_AGENT;
  if (!agent) throw new UsageError('Say whose calls they are: --agent NAME.');
  const config = await configOrExplain(values.config, io);
  if (!config) return EXIT.config;
  const log = logTo(io, 'mcp');
  const upstream = stdioUpstream(config, name);
  const lifecycle = createLifecycle(log);
  try {
    let server: ServerProcess | undefined;
    const facade = await startFacade((line) => server?.write(line), log);
    lifecycle.onStop('facade', () => facade.stop());
    const patched = (next: Config): Config => behindStdio(next, stdioUpstream(next, name), facade.url);
    const collectorUrl = values.collector ?? io.env.OUTRIDER_COLLECTOR ?? config.collector;
    if (!(await answers(collectorUrl)))
      log.warn('collector.silent', { url: collectorUrl, records: 'wait in the data directory' });
    const sidecar = await startOwnSidecar(
      {
        config: patched(config),
        dataDirectory: values.data ?? io.env.OUTRIDER_DATA ?? DEFAULT_DATA,
        agent,
        ...(io.env.OUTRIDER_TASK ? { task: io.env.OUTRIDER_TASK } : {}),
        collectorUrl,
        env: { ...io.env, [KEY_VARIABLE]: facade.key },
        clock: systemClock,
        log: logTo(io, 'sidecar'),
      },
      `${hostname()}-${name}`,
    );
    lifecycle.onStop('sidecar', () => sidecar.stop());
    const apply = (next: Config): Promise<void> => sidecar.reload(patched(next));
    const unfollow = followConfig({ flag: values.config, io, config, clock: systemClock, log, apply });
    lifecycle.onStop('config', unfollow);
    server = startServer(command, environmentFor(config, io.env), (sentence) => io.stderr(`${sentence}\n`));
    const door = `${sidecar.listen.proxy}/${upstream.name}`;
    return await carry({ server, facade, door, config, log });
  } finally {
    await Promise.race([lifecycle.stop(STOP_MS), delay(LEAVE_AFTER_MS)]);
    setTimeout(() => process.exit(), LEAVE_AFTER_MS).unref();
  }
}

function readArguments(args: readonly string[]) {
  const split = args.indexOf('--');
  const [program, ...rest] = split < 0 ? [] : args.slice(split + 1);
  const { values, positionals } = parseArgs({
    args: split < 0 ? [...args] : args.slice(0, split),
    allowPositionals: true,
    options: {
      agent: { type: 'string' },
      config: { type: 'string' },
      data: { type: 'string' },
      collector: { type: 'string' },
    },
  });
  const [name, ...others] = positionals;
  if (name === undefined || others.length > 0 || program === undefined)
    throw new UsageError(
      'Say which upstream it is, and what to run after --, as in: outrider mcp files --agent scout -- node server.js',
    );
  return { name, command: [program, ...rest] as const, values };
}

/** The first instance name that is free: always the same few, so that what one left in its journal the next one ships. */
async function startOwnSidecar(
  options: Omit<SidecarOptions, 'instance'>,
  instance: string,
): Promise<Sidecar> {
  for (let count = 1; ; count++) {
    try {
      return await startSidecar({ ...options, instance: count === 1 ? instance : `${instance}-${count}` });
    } catch (failure) {
      if (!(failure instanceof DataDirectoryTaken) || count === INSTANCES_MAX) throw failure;
    }
  }
}

/** Real credentials are the sidecar's; a secret of the server's own is not in the config, and stays. */
function environmentFor(config: Config, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = { ...env };
  for (const name of secretVariables(config)) delete own[name];
  return own;
}

interface Carrying {
  readonly server: ServerProcess;
  readonly facade: Facade;
  readonly door: string;
  readonly config: Config;
  readonly log: Log;
}

/** Carries messages both ways until the server is gone, or the client is; resolves with the exit code. */
async function carry({ server, facade, door, config, log }: Carrying): Promise<number> {
  const taken = takeOutput(server, facade.take);
  const lineBytesMax = config.limits.bodyBytesMax;
  const bridge = startBridge({ door, input: process.stdin, write: writeOut, lineBytesMax, log });
  await Promise.race([server.exited, bridge.inputEnded, signalled()]);
  const code = await server.end();
  await taken;
  facade.hangUp();
  await bridge.stop();
  process.stdin.destroy();
  return code;
}

async function takeOutput(server: ServerProcess, take: (line: Buffer) => void): Promise<void> {
  for await (const line of linesOf(server.output, Infinity)) if (line && line.length > 0) take(line);
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

/** A line goes out whole; one after it waits until the client has read on. */
function writeOut(line: Buffer): Promise<void> {
  const { stdout } = process;
  stdout.write(line);
  if (stdout.write('\n') || stdout.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stdout.off('drain', done).off('close', done);
      resolve();
    };
    stdout.on('drain', done).on('close', done);
  });
}
