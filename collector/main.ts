// The collector from start to stop. Started from the right, so that whoever is spoken to is there already; stopped from
// the left, so that nobody speaks to someone who is gone.
//
//   sidecars ─┬─ control API ──▶ ledger ──▶ control database
//             └─ OTLP receiver ──▶ queue ──▶ store ◀── SQL door

import type { Config } from '../contract/config/config.ts';
import type { Clock } from '../kit/clock.ts';
import { createLifecycle, type Lifecycle } from '../kit/lifecycle.ts';
import type { Log } from '../kit/log.ts';
import { createSecrets, type Secrets } from '../kit/secrets.ts';
import { startAlerting } from './alerting.ts';
import type { Alerts } from './alerts/alerts.ts';
import { createRecalls, type Recalls } from './api/events.ts';
import { listenApi } from './api/listen.ts';
import { createLive } from './api/live.ts';
import { createApi } from './api/routes.ts';
import { createBackups } from './backup.ts';
import { type CollectorConfig, collectorConfig, isLoopbackAddress, type Places, placesIn } from './config.ts';
import { type DeadLetters, openDeadLetters } from './control/dead-letters.ts';
import { createDegradations } from './control/degradations.ts';
import { type Holds, openHolds } from './control/holds.ts';
import { createKeptBodies, type KeptBodies } from './control/kept-bodies.ts';
import { type LearningOptions, learnIfRestored } from './control/learning.ts';
import { createLedger, type Ledger } from './control/ledger.ts';
import { type Modes, openModes } from './control/modes.ts';
import { type Outbox, startOutbox } from './control/outbox.ts';
import { createPolicies, noteOwnPolicy, type Policies } from './control/policies.ts';
import { openQuarantines, type Quarantines } from './control/quarantines.ts';
import { openRaises, type Raises } from './control/raises.ts';
import { openRoster, type Roster } from './control/roster.ts';
import { openSessions } from './control/sessions.ts';
import { COLLECTOR, openTokens, type Tokens } from './control/tokens.ts';
import { openTools, type Tools } from './control/tools.ts';
import { startDeadLetterIntake } from './dead-letter-intake.ts';
import { startDegradationWatch } from './degradation.ts';
import { type Exports, startExports } from './edges/exports.ts';
import { ownFigures } from './own-figures.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import type { Loader } from './queue/loader.ts';
import { type FleetMetrics, startFleetMetrics } from './rollups/fleet-metrics.ts';
import { missingParts, openStores, orPortTaken, type Stores } from './stores.ts';

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

interface Start extends CollectorOptions {
  readonly lifecycle: Lifecycle;
  readonly places: Places;
  readonly settings: CollectorConfig;
  readonly secrets: Secrets;
  /** The config in force, which a reload replaces. */
  inForce(): Config;
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
  const intake = await openIntake(starting, stores, control);
  const outbox = await openOutbox(starting, stores, control, intake);
  const watch = await openWatch(starting, stores, control, intake);
  const door = await openControlApi(starting, { ...stores, ...control, ...intake, ...watch });
  return {
    listen: { otlp: intake.pipeline.otlpUrl, control: door.url, sql: stores.store.sqlUrl },
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

interface Control {
  readonly tokens: Tokens;
  readonly secrets: Secrets;
  readonly roster: Roster;
  readonly recalls: Recalls;
  readonly learning: LearningOptions;
  readonly policies: Policies;
  readonly ledger: Ledger;
  readonly holds: Holds;
  readonly raises: Raises;
  readonly letters: DeadLetters;
  readonly bodies: KeptBodies;
}

/** Who may join, who lives, and who may spend what. */
async function openControl(starting: Start, { database }: Stores): Promise<Control> {
  const { config, clock, secrets, token, places, inForce, lifecycle, log } = starting;
  const tokens = await openTokens({ database, directory: places.root, clock, given: token });
  const roster = await openRoster(database, clock);
  const recalls = createRecalls();
  const learning = { database, config: inForce, clock, log };
  await learnIfRestored(learning, places.own);
  const ledger = createLedger({ database, config: inForce, clock, roster, onRecall: recalls.publish });
  const holds = openHolds({ database, config: inForce, clock, log, onRecall: recalls.publish });
  lifecycle.onStop('holds', () => holds.close());
  const raises = await openRaises({ database, config: inForce, clock, log, onRecall: recalls.publish });
  lifecycle.onStop('raises', () => raises.close());
  const letters = await openDeadLetters({
    database,
    retention: config.retention,
    queued: (agent) => recalls.tellReplay({ agent }),
    clock,
    log,
  });
  lifecycle.onStop('dead letters', () => letters.close());
  const bodies = createKeptBodies(database, clock);
  const policies = createPolicies(database, clock);
  return { tokens, secrets, roster, recalls, learning, policies, ledger, holds, raises, letters, bodies };
}

interface Intake {
  readonly exports: Exports;
  readonly fleet: FleetMetrics;
  readonly pipeline: Pipeline;
}

/** What takes records, and what goes with each: its copies, and the fleet's sums of it. */
async function openIntake(starting: Start, { store }: Stores, control: Control): Promise<Intake> {
  const { config, places, lifecycle, inForce, clock, log } = starting;
  const exports = await startExports({
    targets: config.export,
    directory: places.exports,
    secrets: control.secrets,
    log,
    clock,
  });
  lifecycle.onStop('exports', () => exports.close());
  // Before anything is loaded, so that all of it is counted.
  const fleet = await startFleetMetrics({
    query: (statement, parameters) => store.query(statement, parameters),
    budgets: () => control.ledger.budgets(),
    agents: () => control.roster.lines(),
    letters: () => control.letters.counts(),
    config: inForce,
    clock,
    log,
  });
  lifecycle.onStop('fleet metrics', () => fleet.stop());
  const intake = startDeadLetterIntake({
    ask: (sql, parameters) => store.query(sql, parameters),
    letters: control.letters,
    clock,
    log,
  });
  lifecycle.onStop('dead letter intake', () => intake.close());
  const landing = intake.following(exports.following(store));
  const pipeline = await openPipeline(starting, landing, control.tokens);
  lifecycle.onStop('pipeline', () => pipeline.close());
  return { exports, fleet, pipeline };
}

async function openPipeline(starting: Start, store: Loader, tokens: Tokens): Promise<Pipeline> {
  const { settings, places, clock, log } = starting;
  const listen = settings.listen.otlp;
  try {
    return await startPipeline({
      listen,
      directory: places.queue,
      store,
      // Context from anyone on loopback is welcome; only a known sender's records count.
      authenticate: (token) => (token === null ? '' : tokens.authenticate(token)),
      log,
      clock,
    });
  } catch (failure) {
    throw orPortTaken(failure, listen, 'listen.otlp');
  }
}

/** Where acts of control wait until the store has them; the policy this collector starts under is the first. */
async function openOutbox(
  starting: Start,
  { database }: Stores,
  { policies }: Control,
  { pipeline }: Intake,
): Promise<Outbox> {
  const { config, lifecycle, clock, log } = starting;
  const outbox = startOutbox({
    database,
    append: (request) => pipeline.append('logs', request, COLLECTOR),
    clock,
    log,
  });
  lifecycle.onStop('outbox', () => outbox.close());
  await noteOwnPolicy({ policies, clock, log }, config);
  return outbox;
}

interface Watch {
  readonly modes: Modes;
  readonly tools: Tools;
  readonly quarantines: Quarantines;
  readonly alerts: Alerts;
}

/** What acts without being asked: a mode or a quarantine that ends, a tool that changed, an alert that fires. */
async function openWatch(
  { lifecycle, inForce, env, clock, log }: Start,
  stores: Stores,
  { ledger, roster, recalls, secrets }: Control,
  { pipeline }: Intake,
): Promise<Watch> {
  const { database, store } = stores;
  const modes = await openModes({
    database,
    config: inForce,
    clock,
    log,
    changed: () => recalls.tellAll((agent) => ({ agent, in_force: modes.inForce(agent) })),
  });
  lifecycle.onStop('modes', () => modes.close());
  const tools: Tools = await openTools({
    database,
    clock,
    log,
    changed: () => recalls.tellTools({ revision: tools.revision() }),
  });
  const quarantines: Quarantines = await openQuarantines({
    database,
    clock,
    log,
    changed: () => recalls.tellQuarantine({ revision: quarantines.revision() }),
  });
  lifecycle.onStop('quarantine', () => quarantines.close());
  const degradation = startDegradationWatch({
    ask: (sql, parameters) => store.query(sql, parameters),
    degradations: createDegradations(database, () => clock.nowMs()),
    quarantines,
    config: inForce,
    agents: () => new Set(roster.lines().map(({ name }) => name)).size,
    clock,
    log,
  });
  lifecycle.onStop('degradation', () => degradation.close());
  const alerts = startAlerting({
    config: inForce,
    ask: (sql, parameters) => store.query(sql, parameters),
    database,
    ledger,
    roster,
    missing: () => missingParts(stores),
    queue: () => pipeline.depth(),
    env,
    secrets,
    clock,
    log,
  });
  lifecycle.onStop('alerts', () => alerts.close());
  return { modes, tools, quarantines, alerts };
}

interface ControlDoor {
  readonly url: string;
  consoleLink(): Promise<string>;
}

/** Last, for it speaks of everything else. */
async function openControlApi(
  { settings, places, lifecycle, inForce, clock, log }: Start,
  parts: Stores & Control & Intake & Watch,
): Promise<ControlDoor> {
  const { database, store, pipeline, tokens, recalls, policies } = parts;
  const sessions = await openSessions(database, clock);
  const live = createLive({ store, clock, log });
  const streams = [recalls, live];
  const api = createApi({
    ...parts,
    sessions,
    live,
    config: inForce,
    keepPolicy: (report) => policies.note(report, inForce().fleet),
    backups: createBackups({ pipeline, database, store, places, clock, log }),
    authenticate: tokens.authenticate,
    otlpPort: Number(new URL(pipeline.otlpUrl).port),
    missing: () => missingParts(parts),
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
