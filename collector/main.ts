// The collector from start to stop. Started from the right, so that whoever is spoken to is there already; stopped from
// the left, so that nobody speaks to someone who is gone.
//
//   sidecars ─┬─ control API ──▶ ledger ──▶ control database
//             └─ OTLP receiver ──▶ queue ──▶ store ◀── SQL door

import type { Config } from '../contract/config/config.ts';
import { createLifecycle, type Lifecycle } from '../kit/lifecycle.ts';
import { createSecrets } from '../kit/secrets.ts';
import type { AuditDesk } from './api/audit.ts';
import { listenApi } from './api/listen.ts';
import { createLive } from './api/live.ts';
import { createApi } from './api/routes.ts';
import { createBackups } from './backup.ts';
import { collectorConfig, isLoopbackAddress, placesIn } from './config.ts';
import { startEntriesOutbox } from './control/entries-outbox.ts';
import { type Outbox, startOutbox } from './control/outbox.ts';
import { noteOwnPolicy } from './control/policies.ts';
import { COLLECTOR } from './control/tokens.ts';
import { type Audit, openAudit } from './open-audit.ts';
import { type Control, openControl } from './open-control.ts';
import { type Intake, openIntake } from './open-intake.ts';
import { openWatch, type Watch } from './open-watch.ts';
import { ownFigures } from './own-figures.ts';
import { type Rebuilds, startRebuilds } from './rebuild.ts';
import { type Retention, startRetention } from './retention.ts';
import type { CollectorOptions, Start } from './starting.ts';
import { missingParts, openStores, type Stores } from './stores.ts';

export interface Collector {
  /** URLs, with the ports that were really opened. */
  readonly listen: {
    readonly otlp: string;
    readonly otlp_grpc: string;
    readonly control: string;
    /** Only where the store is embedded; a server has a door of its own. */
    readonly sql?: string;
  };
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
  options: CollectorOptions,
  lifecycle: Lifecycle,
  close: () => Promise<void>,
): Promise<Collector> {
  let inForce = options.config;
  const starting: Start = {
    ...options,
    lifecycle,
    places: placesIn(options.dataDirectory),
    settings: collectorConfig(options.config),
    secrets: createSecrets(options.clock, options.env),
    inForce: () => inForce,
  };
  const stores = await openStores(starting);
  const control = await openControl(starting, stores);
  const audit = await openAudit({
    ...starting,
    ...starting.settings.audit,
    fleet: options.config.fleet,
    days: starting.settings.retention.auditDays,
    database: stores.database,
  });
  const intake = await openIntake(starting, stores, control, audit);
  const outbox = await openOutbox(starting, stores, control, intake);
  const retention = openRetention(starting, stores, audit);
  const watch = await openWatch(starting, stores, control, intake, audit, retention);
  const rebuilds = openRebuilds(starting, stores, intake);
  const door = await openControlApi(starting, {
    ...stores,
    ...control,
    ...intake,
    ...watch,
    ...audit,
    retention,
    rebuilds,
  });
  // The doors take records already; ready is who can also be asked.
  await stores.storeOpened;
  await intake.fleet.begun;
  return {
    listen: {
      otlp: intake.pipeline.otlpUrl,
      otlp_grpc: intake.pipeline.otlpGrpcUrl,
      control: door.url,
      ...(stores.store.sqlUrl === null ? {} : { sql: stores.store.sqlUrl }),
    },
    reload(next) {
      inForce = next;
      void noteOwnPolicy({ ...options, policies: control.policies }, next);
    },
    async drain() {
      await outbox.tell();
      await intake.pipeline.drain();
    },
    consoleLink: door.consoleLink,
    close,
  };
}

/** Where acts of control wait until the store has them; the policy this collector starts under is the first. */
async function openOutbox(
  starting: Start,
  { database }: Stores,
  { policies }: Control,
  { pipeline }: Intake,
): Promise<Outbox> {
  const { config, lifecycle, clock, log } = starting;
  const options = {
    database,
    append: (request: Buffer) => pipeline.append('logs', request, COLLECTOR),
    clock,
    log,
  };
  const outboxes = [startOutbox(options), startEntriesOutbox(options)];
  const outbox: Outbox = {
    async tell() {
      for (const each of outboxes) await each.tell();
    },
    async close() {
      for (const each of outboxes) await each.close();
    },
  };
  lifecycle.onStop('outbox', () => outbox.close());
  await noteOwnPolicy({ policies, clock, log }, config);
  return outbox;
}

/** Stopped before the stores are. */
function openRetention(
  { settings, lifecycle, clock, log }: Start,
  stores: Stores,
  { pruning, ended }: Audit,
): Retention {
  const retention = startRetention({
    ...stores,
    retention: settings.retention,
    async pruneLog(beforeMs) {
      await ended.dropBefore(beforeMs);
      await pruning.prune(beforeMs);
    },
    clock,
    log,
  });
  lifecycle.onStop('retention', () => retention.close());
  return retention;
}

/** Goes on with what an earlier life left; stopped before the pipeline is. */
function openRebuilds({ lifecycle, clock, log }: Start, stores: Stores, { pipeline }: Intake): Rebuilds {
  const rebuilds = startRebuilds({ ...stores, pipeline, clock, log });
  lifecycle.onStop('rebuilds', () => rebuilds.close());
  return rebuilds;
}

/** What the log and the rows beside it are asked. */
const deskOf = ({ store, pipeline, audit, auditFiles, ...kept }: Stores & Intake & Audit): AuditDesk => ({
  ...kept,
  log: audit,
  files: auditFiles,
  ask: (sql, parameters) => store.query(sql, parameters),
  drain: () => pipeline.drain(),
});

interface ControlDoor {
  readonly url: string;
  consoleLink(): Promise<string>;
}

/** Last, for it speaks of everything else. */
async function openControlApi(
  { settings, places, lifecycle, inForce, clock, log }: Start,
  parts: Stores &
    Control &
    Audit &
    Intake &
    Watch & { readonly retention: Retention; readonly rebuilds: Rebuilds },
): Promise<ControlDoor> {
  const { database, store, pipeline, tokens, sessions, recalls, policies } = parts;
  const live = createLive({ store, clock, log });
  const streams = [recalls, live];
  tokens.watch(recalls.endRevoked);
  const api = createApi({
    ...parts,
    audit: deskOf(parts),
    live,
    config: inForce,
    keepPolicy: (report) => policies.note(report, inForce().fleet),
    again: pipeline.again,
    backups: createBackups({ pipeline, database, store, places, clock, log }),
    authenticate: tokens.authenticate,
    tokens,
    otlpPort: Number(new URL(pipeline.otlpUrl).port),
    missing: () => [...missingParts(parts), ...pipeline.missing()],
    metrics: {
      figures: () => ownFigures({ ...parts, streams }),
      fleet: () => parts.fleet.families(),
      alertValues: parts.alerts.values,
    },
    hosts: settings.hosts,
    beyondLoopback: !isLoopbackAddress(settings.listen.control),
    clock,
    log,
  });
  const { url, close } = await listenApi(api, settings.listen.control, streams);
  lifecycle.onStop('control API', close);
  return {
    url,
    async consoleLink() {
      const { code } = await sessions.makeLink('collector');
      return `${url}/login?code=${code}`;
    },
  };
}
