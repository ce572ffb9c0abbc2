// The thread that holds PGlite (Postgres in WebAssembly), so that a query never stops the collector's event loop.
// PGlite runs without fsync: what it acknowledged survives the death of the process, not of the machine.

import { cpSync } from 'node:fs';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { keepCompiled } from '../../kit/compile-cache.ts';
import { invariant } from '../../kit/invariant.ts';
import { createLanes } from './lanes.ts';
import { READY_ID, type WorkerAnswer, type WorkerRequest } from './pglite-messages.ts';

/**
 * Postgres expects a machine of its own; here the tables that matter are small and memory is shared. Nothing gathers
 * statistics in one process either, so the planner is told what holds for every statement of ours: use the index.
 */
const SETTINGS = [
  'shared_buffers=8MB',
  'max_wal_size=64MB',
  'work_mem=2MB',
  'jit=off',
  'enable_seqscan=off',
  'plan_cache_mode=force_generic_plan',
];

async function open(directory: string): Promise<PGlite> {
  const startParams = [...PGlite.defaultStartParams, ...SETTINGS.flatMap((setting) => ['-c', setting])];
  return PGlite.create(directory, { startParams, initialMemory: 128 * 1024 * 1024 });
}

async function answer(database: PGlite, request: WorkerRequest): Promise<WorkerAnswer> {
  const { id, kind, sql } = request;
  try {
    if (kind === 'close') {
      await database.close();
      return { id, rows: [] };
    }
    if (kind === 'script') {
      await database.transaction((transaction) => transaction.exec(sql));
      return { id, rows: [] };
    }
    if (kind === 'copy') return { id, rows: await copied(database, sql, String(request.parameters[0])) };
    const { rows } = await database.query<Record<string, unknown>>(sql, [...request.parameters]);
    return { id, rows };
  } catch (failure) {
    const { message, code } = failure as Error & { code?: unknown };
    return { id, failure: { message, code: typeof code === 'string' ? code : '' } };
  }
}

/** No statement runs meanwhile, for this thread is the only one that knows the folder. */
async function copied(database: PGlite, sql: string, to: string): Promise<Record<string, unknown>[]> {
  await database.exec('checkpoint');
  const { rows } = await database.query<Record<string, unknown>>(sql);
  cpSync(directory, to, { recursive: true, errorOnExist: true, force: false });
  return rows;
}

invariant(parentPort, 'pglite-worker.ts runs as a worker thread');
const port = parentPort;
const { directory } = workerData as { directory: string };
const database = await open(directory);
const waiting = createLanes<WorkerRequest>();
let working = false;

/** A statement never lets the event loop turn, so what was sent meanwhile is fetched before it is said who is next. */
async function work(): Promise<void> {
  if (working) return;
  working = true;
  for (let next = waiting.take(); next; next = waiting.take()) {
    port.postMessage(await answer(database, next));
    for (let sent = receiveMessageOnPort(port); sent; sent = receiveMessageOnPort(port))
      arrived(sent.message);
  }
  working = false;
}

const arrived = (request: WorkerRequest): void => waiting.put(request.lane, request);

port.on('message', (request: WorkerRequest) => {
  arrived(request);
  void work();
});
port.postMessage({ id: READY_ID } satisfies WorkerAnswer);
keepCompiled(); // a thread is not asked before it ends
