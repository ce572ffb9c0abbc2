// What the long-running commands share: the config or exit 78, the ready line, the graceful stop.

import type { Config } from '../contract/config/config.ts';
import type { ConfigError } from '../contract/config/problems.ts';
import { createLog, type Log } from '../kit/log.ts';
import { EXIT, type Io } from './command.ts';

export const DEFAULT_DATA = './.outrider';

/** One JSON line on stdout when a process is ready. */
export function announce(
  io: Io,
  process_: string,
  listen: Readonly<Record<string, string>>,
  more: object = {},
): void {
  io.stdout(`${JSON.stringify({ event: 'ready', process: process_, listen, ...more })}\n`);
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

export type { Config, ConfigError };
