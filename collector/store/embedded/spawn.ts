// The collector's side of the store process: starts it, and starts it again when it dies, ever more slowly while it keeps
// dying. The read-only port and the directory stay the same; the private port and the password are new each time.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../kit/clock.ts';
import { sharedCompileCache } from '../../../kit/compile-cache.ts';
import { requireInstalled } from '../../../kit/installed.ts';
import type { Log } from '../../../kit/log.ts';
import { forgetUncommitted } from './deduplication-log.ts';
import { type EngineLimits, PRIVATE_SESSIONS, type StartOrder, type StartReport } from './messages.ts';

const RESTART_DELAY_MIN_MS = 100;
const RESTART_DELAY_MAX_MS = 3_000;
/** A process that lived so long did not die of its start. */
const STEADY_AFTER_MS = 10_000;
/** Threads beside those that sessions block: name resolution, compression, files. */
const SPARE_THREADS = 4;

/** Compiled, the siblings are .js; run from source, .ts. */
const PROCESS_FILE = fileURLToPath(
  import.meta.resolve(import.meta.url.endsWith('.ts') ? './process.ts' : './process.js'),
);

export interface PrivateDoor {
  readonly url: string;
  readonly password: string;
}

export interface StoreProcess {
  readonly sqlPort: number;
  /** Undefined while no process stands. */
  door(): PrivateDoor | undefined;
  pid(): number;
  close(): Promise<void>;
}

export interface StoreProcessOptions {
  readonly dataDirectory: string;
  readonly sql: { readonly host: string; readonly port: number };
  readonly limits: EngineLimits;
  readonly log: Log;
  readonly clock: Clock;
}

/** Rejects when the first start fails; later ones are tried until `close`. */
export async function spawnStore(options: StoreProcessOptions): Promise<StoreProcess> {
  const { log, clock } = options;
  requireInstalled('chdb', 'The embedded ClickHouse');
  let child: ChildProcess | undefined;
  let door: PrivateDoor | undefined;
  let sqlPort = options.sql.port;
  let delayMs = RESTART_DELAY_MIN_MS;
  let closed = false;

  async function start(): Promise<void> {
    const password = randomBytes(24).toString('base64url');
    const startedMs = clock.monotonicMs();
    const forgotten = forgetUncommitted(options.dataDirectory);
    if (forgotten > 0) log.warn('store_forgot_uncommitted', { blocks: forgotten });
    const born = launch(options.limits);
    child = born;
    let lastWords = '';
    createInterface({ input: born.stderr! }).on('line', (line) => {
      lastWords = line;
      log.warn('store_process_said', { line });
    });
    born.once('exit', (code, signal) => {
      if (child === born) door = undefined;
      if (closed || refused) return;
      log.error('store_process_died', { pid: born.pid, code, signal });
      if (clock.monotonicMs() - startedMs > STEADY_AFTER_MS) delayMs = RESTART_DELAY_MIN_MS;
      if (stands) again();
    });
    let stands = false;
    let refused = false;
    const report = await handshake(born, { ...options, password, sql: { ...options.sql, port: sqlPort } });
    if (report.event === 'failed') {
      refused = true; // it has said why; that we end it is no news
      born.kill('SIGKILL');
      throw Object.assign(new Error([report.message, lastWords].filter(Boolean).join(': ')), {
        code: report.code,
      });
    }
    stands = true;
    sqlPort = report.sqlPort;
    door = { url: `http://127.0.0.1:${report.privatePort}`, password };
  }

  function again(): void {
    clock.after(delayMs, () => {
      if (closed) return;
      start().catch((failure) => {
        log.error('store_process_not_started', { message: String(failure) });
        again();
      });
    });
    delayMs = Math.min(delayMs * 2, RESTART_DELAY_MAX_MS);
  }

  await start();
  return {
    sqlPort,
    door: () => door,
    pid: () => child?.pid ?? 0,
    async close() {
      closed = true;
      door = undefined;
      if (child) await end(child);
    },
  };
}

function launch(limits: EngineLimits): ChildProcess {
  const sessions = PRIVATE_SESSIONS + limits.readers;
  // Of our environment it gets nothing else: credentials stand there.
  const env = {
    PATH: process.env.PATH ?? '',
    TZ: 'UTC',
    UV_THREADPOOL_SIZE: String(sessions + SPARE_THREADS),
    ...sharedCompileCache(),
  };
  return spawn(process.execPath, [PROCESS_FILE], { env, stdio: ['pipe', 'pipe', 'pipe'] });
}

function handshake(child: ChildProcess, order: StartOrder): Promise<StartReport> {
  const { dataDirectory, password, sql, limits } = order;
  return new Promise((resolve) => {
    child.once('error', (failure) => resolve({ event: 'failed', code: '', message: failure.message }));
    child.once('exit', (code, signal) =>
      resolve({
        event: 'failed',
        code: '',
        message: `the store process ended at its start (${signal ?? code})`,
      }),
    );
    createInterface({ input: child.stdout! }).once('line', (line) =>
      resolve(JSON.parse(line) as StartReport),
    );
    child.stdin!.on('error', () => undefined);
    child.stdin!.write(`${JSON.stringify({ dataDirectory, password, sql, limits })}\n`);
  });
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.stdin!.end();
  });
}
