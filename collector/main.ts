// The fleet's memory. The only file of the collector that builds things: opens the stores, starts the doors, started
// from the right (the store first) and stopped from the left.

import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Recall } from '../contract/budget.ts';
import type { Config } from '../contract/config/config.ts';
import type { Clock } from '../kit/clock.ts';
import { openDataDirectory } from '../kit/data-directory.ts';
import { createLifecycle, type Lifecycle } from '../kit/lifecycle.ts';
import { listenOn, portTaken, splitAddress } from '../kit/listen.ts';
import type { Log } from '../kit/log.ts';
import { createApi } from './api/routes.ts';
import { openDatabase } from './control/database.ts';
import { createLedger, type Ledger } from './control/ledger.ts';
import { openRoster, type Roster } from './control/roster.ts';
import { openTokens, type Tokens } from './control/tokens.ts';
import { renderMetrics } from './metrics.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { createRecalls, type Recalls } from './recalls.ts';
import { openStore, type Store } from './store/store.ts';

export interface CollectorOptions {
  readonly config: Config;
  /** The root that collector and sidecars share. */
  readonly dataDirectory: string;
  /** Accepted beside the token in the data directory: what OUTRIDER_TOKEN says. */
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Collector {
  readonly listen: { readonly otlp: string; readonly control: string; readonly sql: string };
  /** Resolves once everything accepted before is in the store. */
  drain(): Promise<void>;
  /** Takes nothing new, loads what it may in time; what is left is loaded at the next start. Never rejects. */
  close(): Promise<void>;
}

const STOP_MS = 20_000;
const LOAD_AT_STOP_MS = 5_000;
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Throws an Error with one sentence when it cannot start: a taken port, a locked folder, a store that will not open. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const lifecycle = createLifecycle(options.log);
  try {
    return await start(options, lifecycle);
  } catch (failure) {
    await lifecycle.stop(STOP_MS);
    throw failure;
  }
}

async function start(options: CollectorOptions, lifecycle: Lifecycle): Promise<Collector> {
  const { config, clock, log } = options;
  const directory = openDataDirectory(join(options.dataDirectory, 'collector'));
  lifecycle.onStop('data directory', () => directory.release());
  const recalls = createRecalls();
  const [store, control] = await Promise.all([
    openMemory(options, directory.path, lifecycle),
    openControl(options, directory.path, recalls, lifecycle),
  ]);
  const pipeline = await startPipeline({
    listen: config.listen.otlp,
    directory: join(directory.path, 'queue'),
    store,
    authenticate: (token) => (token === null ? '' : control.tokens.authenticate(token)),
    log,
    clock,
  });
  lifecycle.onStop('pipeline', () => closePipeline(pipeline, clock));
  const api = apiServer(options, control, pipeline, store, recalls);
  const controlAt = await listenOn(api, config.listen.control, 'listen.control');
  lifecycle.onStop('control API', () => closeServer(api));
  return {
    listen: { otlp: pipeline.otlpUrl, control: controlAt.url, sql: store.sqlUrl },
    drain: () => pipeline.drain(),
    close: () => lifecycle.stop(STOP_MS),
  };
}

async function openMemory(
  options: CollectorOptions,
  directory: string,
  lifecycle: Lifecycle,
): Promise<Store> {
  const { config, clock, log } = options;
  const { tracesDays, auditDays } = config.retention;
  const sqlListen = config.listen.sql;
  const retention = { tracesDays, auditDays };
  const store = await openStore({
    dataDirectory: join(directory, 'store'),
    sqlListen,
    retention,
    log,
    clock,
  }).catch((failure: NodeJS.ErrnoException) => {
    if (failure.code !== 'EADDRINUSE') throw failure;
    throw portTaken(sqlListen, 'listen.sql');
  });
  lifecycle.onStop('store', () => store.close());
  return store;
}

interface Control {
  readonly ledger: Ledger;
  readonly roster: Roster;
  readonly tokens: Tokens;
}

async function openControl(
  options: CollectorOptions,
  directory: string,
  recalls: Recalls,
  lifecycle: Lifecycle,
): Promise<Control> {
  const { config, clock, log } = options;
  const database = await openDatabase({ directory: join(directory, 'control'), log });
  lifecycle.onStop('control database', () => database.close());
  const roster = await openRoster(database, clock);
  const tokens = await openTokens({
    database,
    directory: options.dataDirectory,
    clock,
    given: options.token,
  });
  const onRecall = (recall: Recall): void => recalls.tell(recall);
  return { roster, tokens, ledger: createLedger({ database, config, clock, roster, onRecall }) };
}

function apiServer(
  { config, log }: CollectorOptions,
  { ledger, roster, tokens }: Control,
  pipeline: Pipeline,
  store: Store,
  recalls: Recalls,
): Server {
  const { host } = splitAddress(config.listen.control, 'listen.control');
  const loopback = LOOPBACK_NAMES.has(host) || host === '::1';
  const api = createApi(
    {
      authenticate: (token) => (token === null ? null : tokens.authenticate(token)),
      lease: (request) => ledger.lease(request),
      budgets: () => ledger.budgets(),
      writeOff: async () => (await ledger.writeOff()).length,
      agents: async () => roster.lines(),
      heartbeat: (beat) => roster.heartbeat(beat),
      endTask: async (task, end) => void (await ledger.endTask(task, end)),
      onRecall: (agent, instance, tell) => recalls.follow(agent, instance, tell),
      otlpUrl: () => pipeline.otlpUrl,
      missing: () => (store.pid() === 0 ? ['store'] : []),
      metrics: () => renderMetrics(pipeline, store),
    },
    log,
    loopback ? LOOPBACK_NAMES : null,
  );
  return createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, getRequestListener(api.fetch));
}

/** Loads what is waiting, as far as a few seconds go; the rest stays on disk for the next start. */
async function closePipeline(pipeline: Pipeline, clock: Clock): Promise<void> {
  const late = new Promise<void>((resolve) => void clock.after(LOAD_AT_STOP_MS, resolve));
  await Promise.race([pipeline.drain(), late]);
  await pipeline.close();
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
