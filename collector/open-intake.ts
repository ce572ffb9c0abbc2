// What takes records, and what goes with each: its copies, the fleet's sums of it, and the dead letter it may be.

import type { Config } from '../contract/config/config.ts';
import { AGENT_CLAIM } from '../contract/token.ts';
import type { AuditLog } from './audit/log.ts';
import { type ChainWatch, createChainWatch } from './chain-watch.ts';
import { isLoopbackAddress } from './config.ts';
import { noteEvent } from './control/control-events.ts';
import type { Bearer, Tokens } from './control/tokens.ts';
import { startDeadLetterIntake } from './dead-letter-intake.ts';
import { type Exports, startExports } from './edges/exports.ts';
import type { Audit } from './open-audit.ts';
import type { Control } from './open-control.ts';
import { type Pipeline, type PipelineOptions, startPipeline } from './pipeline.ts';
import type { Loader } from './queue/loader.ts';
import { type Binding, bindingOf } from './receive/claims.ts';
import { recordsBindingOf } from './receive/records-claims.ts';
import { Unacceptable } from './receive/unacceptable.ts';
import { type FleetMetrics, startFleetMetrics } from './rollups/fleet-metrics.ts';
import { senderOf } from './senders.ts';
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
  { store, database, storeOpened }: Stores,
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
  const fleet = startFleetMetrics({
    opened: storeOpened.catch(() => undefined), // the start hears of it
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
  const landing = intake.following(exports.following(counted(store, fleet)));
  const chains = createChainWatch({
    twofold: (range) => linksTwofold(store, range),
    note: (event, nowMs) => noteEvent(database, event, nowMs),
    clock,
    log,
  });
  lifecycle.onStop('chain watch', () => chains.close());
  const sharesDisk = store.server === null;
  const pipeline = await openPipeline(starting, landing, sharesDisk, control.tokens, audit, chains);
  lifecycle.onStop('pipeline', () => pipeline.close());
  return { exports, fleet, pipeline, chains };
}

/** Nothing is loaded before counting has begun, so that all of it is counted; requests are taken meanwhile. */
const counted = (store: Loader, { begun }: FleetMetrics): Loader => ({
  ...store,
  async load(segment) {
    await begun;
    return store.load(segment);
  },
});

async function openPipeline(
  starting: Start,
  store: Loader,
  sharesDisk: boolean,
  tokens: Tokens,
  audit: AuditLog,
  chains: ChainWatch,
): Promise<Pipeline> {
  const { config, settings, places, inForce, clock, log } = starting;
  const { otlp: listen, otlpGrpc: listenGrpc } = settings.listen;
  return startPipeline({
    listen,
    listenGrpc,
    hosts: settings.hosts,
    beyondLoopback: !isLoopbackAddress(listen),
    allowedOrigins: config.otlp.allowedOrigins,
    directory: places.queue,
    store,
    sharesDisk,
    audit,
    ...whoMaySend(tokens, inForce),
    chainsHeard: (texts) => chains.heard(texts),
    log,
    clock,
  });
}

/** Context from anyone on loopback is welcome, unless the config says otherwise; only a known sender's records count. */
function whoMaySend(
  tokens: Tokens,
  inForce: () => Config,
): Pick<PipelineOptions, 'authenticate' | 'bindingOf'> {
  const bindings = new Map<string, Binding>();
  const known = (bearer: Bearer): string => {
    const sender = senderOf(bearer);
    const binding = bindings.has(sender) ? null : bindingFor(bearer);
    if (binding !== null) bindings.set(sender, binding);
    return sender;
  };
  return {
    authenticate(token) {
      if (token === null) return inForce().otlp.tokens === 'required' ? null : '';
      const bearer = tokens.authenticate(token);
      return bearer && known(bearer);
    },
    bindingOf: (sender) => bindings.get(sender) ?? null,
  };
}

/** Null where a token binds its holder to nothing. Throws Unacceptable 403 for one that sends nothing. */
function bindingFor({ kind, claims }: Bearer): Binding | null {
  if (kind === 'reader') throw new Unacceptable(403, 'a token of kind reader sends nothing');
  if (kind === 'telemetry') return bindingOf(claims);
  const agents = claims[AGENT_CLAIM];
  return agents === undefined ? null : recordsBindingOf(agents);
}
