// Real processes: started, waited for until their ready line, their log kept in a file, ended in the order of need.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface Child {
  readonly name: string;
  /** The ready line's addresses. */
  readonly listen: Readonly<Record<string, string>>;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface Start {
  readonly name: string;
  /** Node's arguments: the script, then its own. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends it, and starts none any more, when everything is to end. */
  readonly signal: AbortSignal;
  /** Where its stderr goes. */
  readonly log: string;
  /** Each further JSON line that it says. */
  heard?(line: Readonly<Record<string, unknown>>): void;
}

const READY_MS = 120_000;

/** Rejects with its log's place when it ends, or says nothing, before it is ready. */
export async function startChild(start: Start): Promise<Child> {
  const log = openSync(start.log, 'a');
  const child = spawn(process.execPath, start.args, {
    stdio: ['pipe', 'pipe', log],
    env: start.env,
    signal: start.signal,
  });
  closeSync(log);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin?.on('error', () => undefined);
  try {
    const listen = await readyLine(child, start);
    const kill = async (signal: NodeJS.Signals): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await gone;
    };
    return { name: start.name, listen, gone, kill };
  } catch (failure) {
    child.kill('SIGKILL');
    throw failure;
  }
}

function readyLine(child: ChildProcess, start: Start): Promise<Readonly<Record<string, string>>> {
  return new Promise((resolve, reject) => {
    const why = (what: string): Error => new Error(`${start.name} ${what}; see ${start.log}.`);
    const late = setTimeout(() => reject(why('did not become ready')), READY_MS);
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      reject(why(`ended (${code ?? signal}) before it was ready`));
    });
    child.once('error', reject);
    createInterface({ input: child.stdout! }).on('line', (text) => {
      if (!text.startsWith('{')) return;
      const said = JSON.parse(text) as { event: string; listen?: Record<string, string> };
      if (said.event !== 'ready') return start.heard?.(said);
      clearTimeout(late);
      resolve(said.listen ?? {});
    });
  });
}
