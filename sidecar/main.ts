// One agent's way out, from start to stop: opens the edges, then what stands on them, then the doors; on stop drains
// what is in flight, gives the leases back and ships what is recorded.

import { agentNamed, captureOf } from '../contract/config/config.ts';
import { createLifecycle, type Lifecycle } from '../kit/lifecycle.ts';
import { operator } from '../kit/operator.ts';
import { createSecrets, type Secrets } from '../kit/secrets.ts';
import type { AgentIdentity } from './call.ts';
import { createReplays, type Replays } from './dead-letters/replays.ts';
import { type AgentKeys, readAgentKeys } from './edges/agent-keys.ts';
import { type Edges, openEdges } from './edges/edges.ts';
import { dialectFor, openCarrying } from './open-carrying.ts';
import { openDoors, taskEnds } from './open-doors.ts';
import { type Isolation, openIsolation } from './open-isolation.ts';
import { openLeases } from './open-leases.ts';
import { createPinExchange, type PinExchange } from './pin-exchange.ts';
import { createPolicyInForce } from './policy-in-force.ts';
import { createPolicyReports } from './policy-report.ts';
import { createPresence, type Presence } from './presence.ts';
import type { Refusing } from './refuse.ts';
import type { Sidecar, SidecarOptions, Start } from './starting.ts';
import { type Agents, agentAlone, agentOf, createAgents } from './state/agents.ts';
import type { Leases } from './state/leases/leases.ts';
import { createModes, type Modes } from './state/modes.ts';
import { createPins, type Pins } from './state/pins.ts';

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

async function start(options: SidecarOptions, lifecycle: Lifecycle): Promise<Sidecar> {
  const policy = createPolicyInForce(options.config);
  const starting: Start = { ...options, lifecycle, policy, inForce: () => policy.current.config };
  const edges = openEdges(starting);
  const leases = openLeases(starting, edges);
  const refusing: Refusing = { dialectFor, log: options.log };
  const isolation = openIsolation(starting, edges, refusing);
  const callers = await openCallers(starting, isolation);
  const tools = openPins(starting, edges);
  const replays = openReplays(starting, edges);
  const presence = openPresence(starting, edges, leases, callers.modes, tools.exchange, isolation, replays);
  const { agents, secrets } = callers;
  const { quarantine, underWay } = isolation;
  const { pins } = tools;
  const { seen } = presence;
  const given = { leases, agents, secrets, seen, pins, quarantine, underWay, refusing, replays };
  const carrying = openCarrying(starting, edges, given);
  const tasks = taskEnds(starting, edges, leases);
  await isolation.exchange.asked; // who is held apart is known before the first call
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
async function openCallers(starting: Start, { revoked }: Isolation): Promise<Callers> {
  const { config, agent, instance, env, inForce, clock, log, lifecycle } = starting;
  const secrets = createSecrets(clock, env);
  const keys = await readAgentKeys(inForce, secrets, clock, log, agent === null ? revoked : () => undefined);
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

/** Carries dead letters again, when the collector gives one. */
function openReplays({ inForce, clock, log, lifecycle }: Start, { control, keptBodies }: Edges): Replays {
  const replays = createReplays({
    claim: control.claimReplay,
    report: control.reportReplay,
    body: control.body,
    keepAnswer(agent) {
      const entry = agentNamed(inForce(), agent);
      return entry && captureOf(inForce(), entry) === 'full' ? keptBodies.keep : null;
    },
    clock,
    log,
  });
  lifecycle.onStop('replays', () => replays.stop());
  return replays;
}

/** Tells the collector who lives here and under which policy, and hears what it calls back. */
function openPresence(
  starting: Start,
  edges: Edges,
  leases: Leases,
  modes: Modes,
  exchange: PinExchange,
  isolation: Isolation,
  replays: Replays,
): Presence {
  const { inForce, clock, log, lifecycle } = starting;
  const { book, control, journal } = edges;
  const policies = createPolicyReports({ control, config: inForce, by: operator(), clock, log });
  const presence = createPresence({
    control,
    config: inForce,
    clock,
    log,
    book,
    healthy: () => !journal.failing,
    recall: (lease) => leases.recall(lease),
    waiting: (name) => leases.waiting(name),
    modes,
    answered: policies.tell,
    toolsAt: exchange.heard,
    quarantineAt: isolation.exchange.heard,
    replays: (agent, instance) => replays.wake({ agent, instance }),
  });
  lifecycle.onStop('presence', () => presence.stop());
  return presence;
}
