// What takes records, and what goes with each: its copies, the fleet's sums of it, and the dead letter it may be.

import type { AuditLog } from './audit/log.ts';
import { type ChainWatch, createChainWatch } from './chain-watch.ts';
import { isLoopbackAddress } from './config.ts';
import { noteEvent } from './control/control-events.ts';
import type { Tokens } from './control/tokens.ts';
import { startDeadLetterIntake } from './dead-letter-intake.ts';
import { type Exports, startExports } from './edges/exports.ts';
import type { Audit } from './open-audit.ts';
import type { Control } from './open-control.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import type { Loader } from './queue/loader.ts';
import { type FleetMetrics, startFleetMetrics } from './rollups/fleet-metrics.ts';
import type { Start } from './starting.ts';
import { linksTwofold } from './store/chains.ts';
import type { Stores } from './stores.ts';

export interface Intake {
  readonly exports: Exports;
  readonly fleet: FleetMetrics;
  readonly pipeline: Pipeline;
  readonly chains: ChainWatch;
}

export async function openIntake(
  starting: Start,
  { store, database }: Stores,
  control: Control,
  { audit }: Audit,
): Promise<Intake> {
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
  const chains = createChainWatch({
    twofold: (range) => linksTwofold(store, range),
    note: (event, nowMs) => noteEvent(database, event, nowMs),
    clock,
    log,
  });
  lifecycle.onStop('chain watch', () => chains.close());
  const pipeline = await openPipeline(starting, landing, control.tokens, audit, chains);
  lifecycle.onStop('pipeline', () => pipeline.close());
  return { exports, fleet, pipeline, chains };
}

async function openPipeline(
  starting: Start,
  store: Loader,
  tokens: Tokens,
  audit: AuditLog,
  chains: ChainWatch,
): Promise<Pipeline> {
  const { config, settings, places, clock, log } = starting;
  const { otlp: listen, otlpGrpc: listenGrpc } = settings.listen;
  return startPipeline({
    listen,
    listenGrpc,
    hosts: settings.hosts,
    beyondLoopback: !isLoopbackAddress(listen),
    allowedOrigins: config.otlp.allowedOrigins,
    directory: places.queue,
    store,
    audit,
    // Context from anyone on loopback is welcome; only a known sender's records count.
    authenticate: (token) => (token === null ? '' : tokens.authenticate(token)),
    chainsHeard: (texts) => chains.heard(texts),
    log,
    clock,
  });
}
