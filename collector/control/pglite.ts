// One PGlite in one worker thread: started, asked, stopped. Requests are answered one after the other, lane by lane and in
// each in the order they were sent, which makes its inbox the ledger's one queue.

import { existsSync, renameSync, rmSync } from 'node:fs';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { sharedCompileCache } from '../../kit/compile-cache.ts';
import { requireInstalled } from '../../kit/installed.ts';
import { DatabaseFailed, DatabaseUnavailable } from './failures.ts';
import type { Lane } from './lanes.ts';
import { READY_ID, type WorkerAnswer, type WorkerRequest } from './pglite-messages.ts';

/** Beside this file, with its ending: `.ts` as written, `.js` once compiled. */
const WORKER = new URL(`./pglite-worker${extname(import.meta.url)}`, import.meta.url);
export type Row = Readonly<Record<string, unknown>>;

export interface PgliteThread {
  ask(
    kind: WorkerRequest['kind'],
    sql: string,
    parameters: readonly unknown[],
    lane?: Lane,
  ): Promise<readonly Row[]>;
  pending(): number;
  /** Settles when the thread is gone, for whatever reason. */
  readonly ended: Promise<void>;
  terminate(): Promise<void>;
}

interface Asker {
  resolve(rows: readonly Row[]): void;
  reject(failure: Error): void;
}

/** Opens the database, after making it when there is none. Throws DatabaseUnavailable, or a sentence where PGlite is not installed. */
export async function openPglite(directory: string): Promise<PgliteThread> {
  requireInstalled('@electric-sql/pglite', 'The embedded Postgres');
  if (!existsSync(directory)) await initialise(directory);
  return startThread(directory);
}

/**
 * Made beside and moved into place, so that a crash leaves none or a whole one; in a thread of its own, because
 * Postgres' initdb takes several hundred megabytes that only die with the thread.
 */
async function initialise(directory: string): Promise<void> {
  const draft = `${directory}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const thread = await startThread(draft);
  await thread.ask('close', '', []);
  await thread.terminate();
  renameSync(draft, directory);
}

async function startThread(directory: string): Promise<PgliteThread> {
  const askers = new Map<number, Asker>();
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let lastId = READY_ID;
  let open = true;

  const worker = new Worker(WORKER, {
    workerData: { directory },
    env: { ...process.env, ...sharedCompileCache() },
  });
  const end = (why: string, cause?: unknown) => {
    open = false;
    const failure = new DatabaseUnavailable(why, cause);
    ready.reject(failure);
    for (const { reject } of askers.values()) reject(failure);
    askers.clear();
    ended.resolve();
  };
  worker.on('error', (failure) => end('The control database broke down.', failure));
  worker.on('exit', () => end('The control database has stopped.'));
  worker.on('message', ({ id, rows, failure }: WorkerAnswer) => {
    if (id === READY_ID) return ready.resolve();
    const asker = askers.get(id);
    askers.delete(id);
    if (failure) asker?.reject(failureOf(failure));
    else asker?.resolve(rows ?? []);
  });
  await ready.promise;

  return {
    ask(kind, sql, parameters, lane = 'rest') {
      if (!open) return Promise.reject(new DatabaseUnavailable('The control database has stopped.'));
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        askers.set(id, { resolve, reject });
        worker.postMessage({ id, kind, lane, sql, parameters } satisfies WorkerRequest);
      });
    },
    pending: () => askers.size,
    ended: ended.promise,
    terminate: async () => void (await worker.terminate()),
  };
}

/** SQLSTATE classes that say the disk or the memory, not the statement, is what failed. */
const OF_THE_MACHINE = /^(53|58)/;

const failureOf = ({ message, code }: { readonly message: string; readonly code: string }): Error =>
  OF_THE_MACHINE.test(code)
    ? new DatabaseUnavailable(`The control database can't write: ${message}.`)
    : new DatabaseFailed(message, code);
