// One agent's way out, from start to stop: opens the edges, then what stands on them, then the doors; on stop drains
// what is in flight, gives the leases back and ships what is recorded.

import type { Server } from 'node:http';
import { join } from 'node:path';
import type { DialectName } from '../contract/attributes.ts';
import type { TaskEnd } from '../contract/budget.ts';
import type { Config } from '../contract/config/config.ts';
import type { Clock } from '../kit/clock.ts';
import { createLifecycle, type Lifecycle } from '../kit/lifecycle.ts';
import { listenOn } from '../kit/listen.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import { operator } from '../kit/operator.ts';
import { createSecrets, type Secrets } from '../kit/secrets.ts';
import { createTurn } from '../kit/turn.ts';
import { type Bodies, createBodies } from './accept/body.ts';
import { lineageOf, randomHex } from './accept/lineage.ts';
import { createDoors, type Doors } from './accept/server.ts';
import { type AdminServices, createAdmin } from './admin.ts';
import type { AgentIdentity, Known } from './call.ts';
import { upstreamOf } from './destination.ts';
import { a2a } from './dialects/a2a.ts';
import { anthropic } from './dialects/anthropic.ts';
import { bedrock } from './dialects/bedrock.ts';
import type { Dialect } from './dialects/dialect.ts';
import { gemini } from './dialects/gemini.ts';
import { http } from './dialects/http.ts';
import { mcp } from './dialects/mcp.ts';
import { openai } from './dialects/openai.ts';
import { type AgentKeys, readAgentKeys } from './edges/agent-keys.ts';
import { ControlPlaneError } from './edges/control-plane.ts';
import { createDialer, type Dialer } from './edges/dialer.ts';
import { type Edges, openEdges } from './edges/edges.ts';
import { createLocalAuthority } from './edges/local-authority.ts';
import { createResolver } from './edges/resolver.ts';
import type { Shipper } from './edges/shipper.ts';
import { createUpstreams } from './edges/upstreams.ts';
import { explain } from './explain.ts';
import { createMeters, type Meters } from './meters/meters.ts';
import { openLeases } from './open-leases.ts';
import { createPinExchange, type PinExchange } from './pin-exchange.ts';
import { carry, type Services } from './pipeline.ts';
import { createPolicyInForce, type PolicyInForce } from './policy-in-force.ts';
import { createPolicyReports } from './policy-report.ts';
import { createPresence, type Presence } from './presence.ts';
import { refuse } from './refuse.ts';
import { type Agents, agentAlone, agentOf, createAgents } from './state/agents.ts';
import { createBatchFiles } from './state/batch-files.ts';
import { type Circuits, createCircuits } from './state/circuits.ts';
import type { Leases } from './state/leases.ts';
import { createModes, type Modes } from './state/modes.ts';
import { createPins, type Pins } from './state/pins.ts';
import { createRates } from './state/rates.ts';
import { createTasks } from './state/tasks.ts';
import { openTrail } from './trail.ts';
import { wayThrough } from './way-through.ts';

export interface SidecarOptions {
  readonly config: Config;
  /** The root that collector and sidecars share; this sidecar takes a folder of its own in it. */
  readonly dataDirectory: string;
  /** All traffic is this agent's; null identifies each call by its agent key. */
  readonly agent: string | null;
  /** Tells instances of one agent apart; each has a journal of its own. */
  readonly instance: string;
  /** The task of calls that name none; else one per quarter of an hour without a call. */
  readonly task?: string;
  /** The collector's control API and OTLP receiver; the config's when not given. */
  readonly collectorUrl?: string;
  readonly otlpUrl?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Sidecar {
  readonly listen: { readonly proxy: string; readonly admin: string };
  endTask(task: string, state: 'done' | 'failed'): Promise<void>;
  /**
   * Puts another config in force for the calls that begin from now on. Throws an Error with one sentence, and changes
   * nothing, when it does not know the agent whose sidecar this is. Listeners, journal and collector stay as they are.
   */
  reload(config: Config): Promise<void>;
  /** Refuses new calls, lets running ones end, gives money back, ships the records. Never rejects. */
  stop(): Promise<void>;
}

const DIALECTS: Readonly<Partial<Record<DialectName, Dialect>>> = {
  openai,
  anthropic,
  gemini,
  bedrock,
  mcp,
  a2a,
  http,
};
const STOP_STEPS_MS = 15_000;

/** Throws an Error with one sentence when it cannot start: a taken port, a locked folder, an unknown agent. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const lifecycle = createLifecycle(options.log);
  try {
    return await start(options, lifecycle);
  } catch (failure) {
    await lifecycle.stop(STOP_STEPS_MS);
    throw failure;
  }
}

interface Start extends SidecarOptions {
  readonly lifecycle: Lifecycle;
  readonly policy: PolicyInForce;
  /** The config in force, which a reload replaces. */
  inForce(): Config;
}

async function start(options: SidecarOptions, lifecycle: Lifecycle): Promise<Sidecar> {
  const policy = createPolicyInForce(options.config);
  const starting: Start = { ...options, lifecycle, policy, inForce: () => policy.current.config };
  const edges = openEdges(starting);
  const leases = openLeases(starting, edges);
  const callers = await openCallers(starting);
  const tools = openPins(starting, edges);
  const presence = openPresence(starting, edges, leases, callers.modes, tools.exchange);
  const carrying = openCarrying(starting, edges, leases, callers, presence, tools.pins);
  const tasks = taskEnds(starting, edges, leases);
  const listen = await openDoors(starting, edges, leases, carrying, tasks);
  if (callers.own) {
    presence.seen(callers.own);
    leases.warm(callers.own.name);
  }
  return {
    listen,
    endTask: tasks.endOrWarn,
    async reload(next) {
      if (options.agent !== null) agentAlone(next, options.agent, options.instance);
      policy.replace(next);
      await callers.keys.again();
      presence.again();
    },
    stop: () => lifecycle.stop(starting.inForce().drainMs + STOP_STEPS_MS),
  };
}

interface Callers {
  readonly secrets: Secrets;
  readonly keys: AgentKeys;
  readonly modes: Modes;
  readonly agents: Agents;
  /** Whose sidecar this is, if one agent's. */
  readonly own: AgentIdentity | undefined;
}

/** Who may call, by which key, in which mode. */
async function openCallers(starting: Start): Promise<Callers> {
  const { config, agent, instance, env, inForce, clock, log, lifecycle } = starting;
  const secrets = createSecrets(clock, env);
  const keys = await readAgentKeys(inForce, secrets, clock, log);
  lifecycle.onStop('agent keys', () => keys.stop());
  const modes = createModes(clock);
  const agents = createAgents({ fixed: agent, instance, modeOf: modes.of, keys: () => keys.current });
  const own = agent === null ? undefined : agentOf(agents, config, agent);
  return { secrets, keys, modes, agents, own };
}

interface ToolPins {
  readonly pins: Pins;
  readonly exchange: PinExchange;
}

/** Which definition of each tool holds, here and in the fleet. */
function openPins({ agent, log }: Start, { control }: Edges): ToolPins {
  const pins = createPins(() => exchange.news());
  const exchange = createPinExchange({ control, pins, agent, log });
  return { pins, exchange };
}

/** Tells the collector who lives here and under which policy, and hears what it calls back. */
function openPresence(
  starting: Start,
  edges: Edges,
  leases: Leases,
  modes: Modes,
  exchange: PinExchange,
): Presence {
  const { inForce, clock, log, lifecycle } = starting;
  const { control, journal } = edges;
  const policies = createPolicyReports({ control, config: inForce, by: operator(), clock, log });
  const presence = createPresence({
    control,
    config: inForce,
    clock,
    log,
    healthy: () => !journal.failing,
    recall: (lease) => leases.recall(lease),
    modes,
    answered: policies.tell,
    toolsAt: exchange.heard,
  });
  lifecycle.onStop('presence', () => presence.stop());
  return presence;
}

interface Carrying {
  readonly services: Services;
  readonly circuits: Circuits;
  readonly bodies: Bodies;
  readonly meters: Meters;
  readonly dialer: Dialer;
  /** What the doors will listen on: never dialled. */
  readonly ownPorts: Set<number>;
}

/** What the stages of a call use. */
function openCarrying(
  { agent, task, inForce, clock, log, lifecycle }: Start,
  { book }: Edges,
  leases: Leases,
  { agents, secrets }: Callers,
  presence: Presence,
  pins: Pins,
): Carrying {
  const turn = createTurn(log);
  lifecycle.onStop('endings', () => turn.finish());
  const ownPorts = new Set<number>();
  const dialer = createDialer({ resolver: createResolver(), ownPorts: () => ownPorts });
  const upstreams = createUpstreams(dialer);
  lifecycle.onStop('upstreams', () => upstreams.close());
  const tasks = createTasks(clock, () => task ?? `task-${randomHex(6)}`);
  const bodies = createBodies(() => inForce().limits.bodyBytesInFlightMax);
  const batchFiles = createBatchFiles();
  const circuits = createCircuits(() => inForce().breakers, clock);
  const meters = createMeters(inForce, agent);
  const services: Services = {
    identification: {
      agents,
      lineageOf: (headers, name) => lineageOf(headers, name, tasks),
      seen: presence.seen,
    },
    classification: { dialects: DIALECTS, bodies },
    authorization: {
      rates: createRates(clock),
      changed: pins.changed,
      batchFiles,
      now: () => new Date(clock.nowMs()),
    },
    reservation: { leases },
    circuits,
    metering: { pins, batchFiles, listening: new Set() },
    secrets,
    upstreams,
    trail: { book, clock, turn, log, ended: (record) => meters.count(record) },
    refusing: { dialectFor, log },
  };
  return { services, circuits, bodies, meters, dialer, ownPorts };
}

interface TaskEnds {
  end(task: string, end: TaskEnd): Promise<void>;
  /** The own agent's; a collector that cannot be told is only logged. A task that made no call never began. */
  endOrWarn(task: string, state: TaskEnd['state']): Promise<void>;
}

function taskEnds({ agent, log }: Start, { control }: Edges, leases: Leases): TaskEnds {
  const end = async (task: string, told: TaskEnd): Promise<void> => {
    await leases.told(told.agent); // an observed call does not wait for the ledger, so its task may be news there
    await control.endTask(task, told);
  };
  return {
    end: (task, told) => end(task, { ...told, agent: told.agent ?? agent ?? '' }),
    endOrWarn: (task, state) =>
      end(task, { agent: agent ?? '', state }).catch((failure) => {
        if (failure instanceof ControlPlaneError && failure.status === 404) return;
        log.warn('task.end_not_told', { task, failure: sentenceOf(failure) });
      }),
  };
}

/** Last, for calls come in at once. Throws PortUnavailable. */
async function openDoors(
  starting: Start,
  edges: Edges,
  leases: Leases,
  { services, circuits, bodies, meters, ownPorts }: Carrying,
  tasks: TaskEnds,
): Promise<Sidecar['listen']> {
  const { config, agent, inForce, clock, lifecycle } = starting;
  const proxy = createDoorsOf(starting, services);
  const adminServices: AdminServices = {
    missing: () => missing(leases, edges.shipper),
    broken: () => (edges.journal.failing ? 'the journal cannot be written' : null),
    purses: () => leases.purses(),
    explain: (name, rule) => explain(inForce(), name ?? agent ?? '', rule, clock),
    endTask: tasks.end,
    metrics: () => meters.render({ ...edges, circuits, bodies, leases, inFlight: () => proxy.inFlight }),
  };
  const admin = createAdmin(adminServices);
  const adminAt = await listenOn(admin, config.listen.admin, 'listen.admin');
  lifecycle.onStop('admin', () => closed(admin));
  const proxyAt = await listenOn(proxy.server, config.listen.proxy, 'listen.proxy');
  lifecycle.onStop('proxy', () => drain(proxy, services.metering.listening, inForce().drainMs, clock));
  ownPorts.add(adminAt.port).add(proxyAt.port);
  return { proxy: proxyAt.url, admin: adminAt.url };
}

function createDoorsOf({ dataDirectory, clock, policy }: Start, services: Services): Doors {
  const nowMs = (): number => clock.nowMs();
  const authority = createLocalAuthority({ directory: join(dataDirectory, 'ca'), nowMs });
  return createDoors({
    policy: () => policy.current,
    nowMs,
    monotonicMs: () => clock.monotonicMs(),
    carry: (accepted) => carry(accepted, services),
    refuse: (failure, accepted) =>
      refuse(failure, accepted, openTrail(accepted, services.trail), services.refusing),
    record: (refusal, accepted, httpStatus) =>
      openTrail(accepted, services.trail).refused(refusal, httpStatus),
    wayThrough: (accepted, to) => wayThrough(accepted, to, services.identification),
    leafFor: (host) => authority.leafFor(host),
  });
}

/** New calls are refused, running ones may end, whoever only listens is let go; whoever is late is cut off. */
async function drain(
  proxy: Doors,
  listening: ReadonlySet<() => void>,
  drainMs: number,
  clock: Clock,
): Promise<void> {
  proxy.drain();
  for (const end of [...listening]) end();
  const cancel = clock.after(drainMs, () => proxy.closeAll());
  await closed(proxy.server);
  cancel();
}

function missing(leases: Leases, shipper: Shipper): string[] {
  return [...(leases.unreachable() ? ['ledger'] : []), ...(shipper.lastFailure ? ['collector'] : [])];
}

function dialectFor(call: Known): Dialect {
  return DIALECTS[upstreamOf(call.policy.config, call)?.speaks ?? 'http'] ?? http;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
