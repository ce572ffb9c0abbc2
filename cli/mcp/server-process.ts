// The server that a client would have started itself: a command whose stdin and stdout carry messages. Its stderr is ours,
// and its end is ours too.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';

export interface ServerProcess {
  readonly output: Readable;
  /** The exit code as a shell says it: 126 and 127 for what could not be started, 128 + n after signal n. */
  readonly exited: Promise<number>;
  write(line: Buffer): void;
  /**
   * Closes its stdin and waits; a server that stays is told to go, and then made to. Resolves with its exit code when it
   * is gone; 0 where it had to be told.
   */
  end(): Promise<number>;
}

const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const SIGNAL_BASE = 128;
const LEAVES_BY_ITSELF_MS = 1_000;
const LEAVES_WHEN_TOLD_MS = 2_000;

export function startServer(
  [command, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  failed: (sentence: string) => void,
): ServerProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  child.stdin.on('error', () => child.stdin.destroy()); // it ended: `exited` says so
  const exited = exitOf(child, (failure) => {
    const why = failure.code === 'ENOENT' ? 'there is no such command' : failure.message;
    failed(`${command} could not be started: ${why}.`);
  });
  return {
    output: child.stdout,
    exited,
    write(line) {
      child.stdin.write(line);
      child.stdin.write('\n');
    },
    async end() {
      let told = false;
      const tell = (signal: NodeJS.Signals, afterMs: number): NodeJS.Timeout =>
        setTimeout(() => {
          told = true;
          child.kill(signal);
        }, afterMs);
      child.stdin.end();
      const timers = [
        tell('SIGTERM', LEAVES_BY_ITSELF_MS),
        tell('SIGKILL', LEAVES_BY_ITSELF_MS + LEAVES_WHEN_TOLD_MS),
      ];
      const code = await exited;
      for (const timer of timers) clearTimeout(timer);
      return told ? 0 : code;
    },
  };
}

function exitOf(child: ChildProcess, failed: (failure: NodeJS.ErrnoException) => void): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (failure: NodeJS.ErrnoException) => {
      failed(failure);
      resolve(failure.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE);
    });
    child.once('exit', (code, signal) => resolve(code ?? SIGNAL_BASE + (constants.signals[signal!] ?? 0)));
  });
}
