// The collector from start to stop. Started from the right, so that whoever is spoken to is there already; stopped from
// the left, so that nobody speaks to someone who is gone.
//
//   sidecars ─┬─ control API ──▶ ledger ──▶ control database
//             └─ OTLP receiver ──▶ queue ──▶ store ◀── SQL door

import type { Config } from '../contract/config/config.ts';
import type { Clock } from '../kit/clock.ts';
import { openDataDirectory } from '../kit/data-directory.ts';
import { createLifecycle, type Lifecycle } from '../kit/lifecycle.ts';
import { PortUnavailable } from '../kit/listen.ts';
import type { Log } from '../kit/log.ts';
import { createSecrets } from '../kit/secrets.ts';
import { startAlerting } from './alerting.ts';
import { createRecalls } from './api/events.ts';
import { listenApi } from './api/listen.ts';
import { createLive } from './api/live.ts';
import type { Figures } from './api/metrics.ts';
import { createApi } from './api/routes.ts';
import { createBackups } from './backup.ts';
import { collectorConfig, isLoopbackAddress, placesIn } from './config.ts';
import { type Database, openDatabase } from './control/database.ts';
import { createLedger } from './control/ledger.ts';
import { openModes } from './control/modes.ts';
import { startOutbox } from './control/outbox.ts';
import { noteOwnPolicy, notePolicy } from './control/policies.ts';
import { openRoster } from './control/roster.ts';
import { openSessions } from './control/sessions.ts';
import { COLLECTOR, openTokens, type Tokens } from './control/tokens.ts';
import { type Exports, startExports } from './edges/exports.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import type { Loader } from './queue/loader.ts';
import { startFleetMetrics } from './rollups/fleet-metrics.ts';
import { openStore, type Store } from './store/store.ts';

export interface Collector {
  /** URLs, with the ports that were really opened. */
  readonly listen: { readonly otlp: string; readonly control: string; readonly sql: string };
  /**
   * Puts another config in force: budgets hold from the next grant, modes and names at once. Listeners, stores, retention
   * and the timezone stay as they were started.
   */
  reload(config: Config): void;
  /** A URL that opens the console in one browser, once, within ten minutes. */
  consoleLink(): Promise<string>;
  /** Resolves once everything accepted before is queryable. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export interface CollectorOptions {
  readonly config: Config;
  readonly dataDirectory: string;
  /** Accepted as a join token beside the one in the file: OUTRIDER_TOKEN. */
  readonly token?: string | undefined;
  /** Where `env:` secrets are read: of exports, of alerts. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly clock: Clock;
}

/** Throws DataDirectoryTaken or PortUnavailable, with nothing left open. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { log, config } = options;
  const lifecycle = createLifecycle(log);
  const stop = () => lifecycle.stop(config.drainMs);
  try {
    return await start(options, lifecycle, stop);
  } catch (failure) {
    await stop();
    throw failure;
  }
}

async function start(
  { config, dataDirectory, token, env, log, clock }: CollectorOptions,
  lifecycle: Lifecycle,
  close: () => Promise<void>,
): Promise<Collector> {
  let inForce = config;
  const places = placesIn(dataDirectory);
  const settings = collectorConfig(config);

  const directory = openDataDirectory(places.own);
  lifecycle.onStop('data directory', () => directory.release());
  const [database, store] = await bothOpen(
    openDatabase({ directory: places.control, log, clock }),
    openSqlStore(settings.listen.sql, {
      dataDirectory: places.store,
      retention: settings.retention,
      log,
      clock,
    }),
    lifecycle,
  );
  const tokens = await openTokens({ database, directory: places.root, clock, given: token });
  const secrets = createSecrets(clock, env);
  const exports = await startExports({
    targets: config.export,
    directory: places.exports,
    secrets,
    log,
    clock,
  });
  lifecycle.onStop('exports', () => exports.close());
  const roster = await openRoster(database, clock);
  const recalls = createRecalls();
  const ledger = createLedger({
    database,
    config: () => inForce,
    clock,
    roster,
    onRecall: recalls.publish,
  });
  // Before anything is loaded, so that all of it is counted.
  const fleet = await startFleetMetrics({
    query: (statement, parameters) => store.query(statement, parameters),
    budgets: () => ledger.budgets(),
    agents: () => roster.lines(),
    config: () => inForce,
    clock,
    log,
  });
  lifecycle.onStop('fleet metrics', () => fleet.stop());
  const pipeline = await startReceiving({
    listen: settings.listen.otlp,
    directory: places.queue,
    store: exports.following(store),
    tokens,
    log,
    clock,
  });
  lifecycle.onStop('pipeline', () => pipeline.close());

  const outbox = startOutbox({
    database,
    append: (request) => pipeline.append('logs', request, COLLECTOR),
    clock,
    log,
  });
  lifecycle.onStop('outbox', () => outbox.close());
  await noteOwnPolicy({ database, clock, log }, config);

  const modes = await openModes({
    database,
    config: () => inForce,
    clock,
    log,
    changed: () => recalls.tellAll((agent) => ({ agent, in_force: modes.inForce(agent) })),
  });
  lifecycle.onStop('modes', () => modes.close());
  const alerts = startAlerting({
    config: () => inForce,
    ask: (sql, parameters) => store.query(sql, parameters),
    database,
    ledger,
    roster,
    missing: () => missingParts(database, store),
    queue: () => pipeline.depth(),
    env,
    secrets,
    clock,
    log,
  });
  lifecycle.onStop('alerts', () => alerts.close());
  const sessions = await openSessions(database, clock);
  const live = createLive({ store, clock, log });
  const api = createApi({
    store,
    sessions,
    live,
    ledger,
    roster,
    modes,
    alerts,
    config: () => inForce,
    keepPolicy: (report) => notePolicy(database, inForce.fleet, report, clock.nowMs()),
    recalls,
    backups: createBackups({ pipeline, database, store, places, clock, log }),
    authenticate: tokens.authenticate,
    otlpPort: Number(new URL(pipeline.otlpUrl).port),
    missing: () => missingParts(database, store),
    metrics: {
      figures: () =>
        figuresOf({ database, store, pipeline, exports }, recalls.listeners() + live.listeners()),
      fleet: () => fleet.families(),
      alertValues: alerts.values,
    },
    hosts: settings.hosts,
    beyondLoopback: !isLoopbackAddress(settings.listen.control),
    clock,
    log,
  });
  const control = await listenApi(api, settings.listen.control, [recalls, live]);
  lifecycle.onStop('control API', () => control.close());

  return {
    listen: { otlp: pipeline.otlpUrl, control: control.url, sql: store.sqlUrl },
    reload(next) {
      inForce = next;
      void noteOwnPolicy({ database, clock, log }, next);
    },
    async drain() {
      await outbox.tell();
      await pipeline.drain();
    },
    async consoleLink() {
      const { code } = await sessions.makeLink('collector');
      return `${control.url}/login?code=${code}`;
    },
    close,
  };
}

/** Opened side by side, for each takes a while; if one fails the other is still closed. */
async function bothOpen(
  opening: Promise<Database>,
  openingStore: Promise<Store>,
  lifecycle: Lifecycle,
): Promise<[Database, Store]> {
  const [database, store] = await Promise.allSettled([opening, openingStore]);
  if (database.status === 'fulfilled') lifecycle.onStop('control database', () => database.value.close());
  if (store.status === 'fulfilled') lifecycle.onStop('store', () => store.value.close());
  if (database.status === 'rejected') throw database.reason;
  if (store.status === 'rejected') throw store.reason;
  return [database.value, store.value];
}

async function openSqlStore(
  sqlListen: string,
  options: Omit<Parameters<typeof openStore>[0], 'sqlListen'>,
): Promise<Store> {
  try {
    return await openStore({ ...options, sqlListen });
  } catch (failure) {
    throw portSentence(failure, sqlListen, 'listen.sql');
  }
}

async function startReceiving(options: {
  listen: string;
  directory: string;
  store: Loader;
  tokens: Tokens;
  log: Log;
  clock: Clock;
}): Promise<Pipeline> {
  const { tokens, ...rest } = options;
  try {
    return await startPipeline({
      ...rest,
      // Context from anyone on loopback is welcome; only a known sender's records count.
      authenticate: (token) => (token === null ? '' : tokens.authenticate(token)),
    });
  } catch (failure) {
    throw portSentence(failure, options.listen, 'listen.otlp');
  }
}

function portSentence(failure: unknown, address: string, key: string): unknown {
  if (!(failure instanceof Error) || !('code' in failure) || failure.code !== 'EADDRINUSE') return failure;
  return new PortUnavailable(key, `${address} is taken: set \`${key}\` to another port, or to port 0.`);
}

function missingParts(database: Database, store: Store): readonly string[] {
  return [database.isOpen() ? '' : 'control database', store.pid() > 0 ? '' : 'store'].filter(
    (part) => part !== '',
  );
}

interface Parts {
  readonly database: Database;
  readonly store: Store;
  readonly pipeline: Pipeline;
  readonly exports: Exports;
}

async function figuresOf({ database, store, pipeline, exports }: Parts, listeners: number): Promise<Figures> {
  const copies = exports.totals();
  const { segments, bytes, oldestMs } = pipeline.depth();
  const { receiver, queue } = pipeline.counters();
  return {
    plain: {
      outrider_queue_segments: segments,
      outrider_queue_bytes: bytes,
      outrider_queue_oldest_seconds: oldestMs / 1000,
      outrider_received_spans_total: receiver.spans,
      outrider_stored_spans_total: queue.spans,
      outrider_quarantined_total: queue.quarantined,
      outrider_control_statements_pending: database.pending(),
      outrider_event_streams: listeners,
      outrider_store_memory_bytes: await store.memoryBytes(),
      outrider_export_waiting_bytes: copies.waitingBytes,
      outrider_export_given_up_total: copies.givenUp,
    },
    receivedRequests: receiver.taken,
    refusedRequests: receiver.refused,
  };
}
