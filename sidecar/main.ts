// One agent's way out. The only file of the sidecar that builds things: opens the edges, starts the doors, and on
// stop drains what is in flight, gives the leases back and ships what is recorded.

import type { Server } from 'node:http';
import { join } from 'node:path';
import type { DialectName } from '../contract/attributes.ts';
import type { TaskEnd } from '../contract/budget.ts';
import type { Config } from '../contract/config/config.ts';
import { judge } from '../contract/rules/judge.ts';
import { agentFacts, callFacts, parseSubject } from '../contract/rules/subject.ts';
import type { Clock } from '../kit/clock.ts';
import { openDataDirectory } from '../kit/data-directory.ts';
import { createLifecycle, type Lifecycle } from '../kit/lifecycle.ts';
import { listenOn } from '../kit/listen.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import { operator } from '../kit/operator.ts';
import { createSecrets } from '../kit/secrets.ts';
import { createTurn } from '../kit/turn.ts';
import { createBodies } from './accept/body.ts';
import { lineageOf, randomHex } from './accept/lineage.ts';
import { createReverseProxy, type ReverseProxy } from './accept/reverse-proxy.ts';
import { type AdminServices, createAdmin } from './admin.ts';
import { type Book, openBook, type Recovered, spansOf } from './book.ts';
import type { Known } from './call.ts';
import { anthropic } from './dialects/anthropic.ts';
import type { Dialect } from './dialects/dialect.ts';
import { http } from './dialects/http.ts';
import { openai } from './dialects/openai.ts';
import { readAgentKeys } from './edges/agent-keys.ts';
import { type ControlPlane, createControlPlane } from './edges/control-plane.ts';
import { type Journal, openJournal } from './edges/journal.ts';
import { createShipper, type Shipper } from './edges/shipper.ts';
import { createUpstreams } from './edges/upstreams.ts';
import { createMeters } from './meters/meters.ts';
import { carry, type Services } from './pipeline.ts';
import { createPolicyInForce, type PolicyInForce } from './policy-in-force.ts';
import { createPolicyReports } from './policy-report.ts';
import { createPresence } from './presence.ts';
import { refuse } from './refuse.ts';
import { type Agents, createAgents } from './state/agents.ts';
import { createCircuits } from './state/circuits.ts';
import { createLeases, type Leases } from './state/leases.ts';
import { createModes } from './state/modes.ts';
import { createRates } from './state/rates.ts';
import { createTasks } from './state/tasks.ts';
import { openTrail } from './trail.ts';

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

const DIALECTS: Readonly<Partial<Record<DialectName, Dialect>>> = { openai, anthropic, http };
const SHIP_AT_STOP_MS = 5_000;
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
  const { config, clock, log, agent, instance } = options;
  const policy = createPolicyInForce(config);
  const inForce = () => policy.current.config;
  const edges = openEdges(options, instance, lifecycle);
  const leases = openLeases(options, instance, { ...edges, policy }, lifecycle);
  const secrets = createSecrets(clock, options.env);
  const keys = await readAgentKeys(inForce, secrets, clock, log);
  lifecycle.onStop('agent keys', () => keys.stop());
  const modes = createModes(clock);
  const agents = createAgents({ fixed: agent, instance, modeOf: modes.of, keys: () => keys.current });
  const own = agent === null ? undefined : ownIdentity(agents, config, agent);

  const policies = createPolicyReports({
    control: edges.control,
    config: inForce,
    by: operator(),
    clock,
    log,
  });
  const presence = createPresence({
    control: edges.control,
    config: inForce,
    clock,
    log,
    healthy: () => !edges.journal.failing,
    recall: (lease) => leases.recall(lease),
    modes,
    answered: policies.tell,
  });
  lifecycle.onStop('presence', () => presence.stop());
  const turn = createTurn(log);
  lifecycle.onStop('endings', () => turn.finish());
  const upstreams = createUpstreams();
  lifecycle.onStop('upstreams', () => upstreams.close());

  const tasks = createTasks(clock, () => options.task ?? `task-${randomHex(6)}`);
  const bodies = createBodies(() => inForce().limits.bodyBytesInFlightMax);
  const circuits = createCircuits(() => inForce().breakers, clock);
  const meters = createMeters(inForce, agent);
  const services: Services = {
    identification: {
      agents,
      lineageOf: (headers, name) => lineageOf(headers, name, tasks),
      seen: presence.seen,
    },
    classification: { dialects: DIALECTS, bodies },
    authorization: { rates: createRates(clock), now: () => new Date(clock.nowMs()) },
    reservation: { leases },
    circuits,
    secrets,
    upstreams,
    trail: { book: edges.book, clock, turn, log, ended: (record) => meters.count(record) },
    refusing: { dialectFor, log },
  };

  const proxy = openProxy(clock, policy, services);
  const endTask = async (task: string, end: TaskEnd): Promise<void> => {
    await leases.told(end.agent); // an observed call does not wait for the ledger, so its task may be news there
    await edges.control.endTask(task, end);
  };
  const adminServices: AdminServices = {
    missing: () => missing(leases, edges.shipper),
    broken: () => (edges.journal.failing ? 'the journal cannot be written' : null),
    purses: () => leases.purses(),
    explain: (name, rule) => explain(inForce(), instance, name ?? agent ?? '', rule, clock),
    endTask: (task, end) => endTask(task, { ...end, agent: end.agent ?? agent ?? '' }),
    metrics: () => meters.render({ ...edges, circuits, bodies, leases, inFlight: () => proxy.inFlight }),
  };
  const admin = createAdmin(adminServices);
  const adminAt = await listenOn(admin, config.listen.admin, 'listen.admin');
  lifecycle.onStop('admin', () => closed(admin));
  const proxyAt = await listenOn(proxy.server, config.listen.proxy, 'listen.proxy');
  lifecycle.onStop('proxy', () => drain(proxy, inForce().drainMs, clock));
  if (own) {
    presence.seen(own);
    leases.warm(own.name);
  }
  return {
    listen: { proxy: proxyAt.url, admin: adminAt.url },
    endTask: async (task, state) => {
      await endTask(task, { agent: agent ?? '', state }).catch((failure) => {
        log.warn('task.end_not_told', { task, failure: sentenceOf(failure) });
      });
    },
    async reload(next) {
      if (agent !== null)
        ownIdentity(createAgents({ fixed: agent, instance, modeOf: modes.of, keys: () => [] }), next, agent);
      policy.replace(next);
      await keys.again();
      presence.again();
    },
    stop: () => lifecycle.stop(inForce().drainMs + STOP_STEPS_MS),
  };
}

interface Edges {
  readonly book: Book;
  readonly journal: Journal;
  readonly recovered: Recovered;
  readonly control: ControlPlane;
  readonly shipper: Shipper;
}

function openEdges(options: SidecarOptions, instance: string, lifecycle: Lifecycle): Edges {
  const { config, clock, log, agent, env } = options;
  const { path, release } = openDataDirectory(folderOf(options.dataDirectory, agent, instance));
  lifecycle.onStop('data directory', release);
  const { sizeBytesMax, durability } = config.journal;
  const { book, journal, recovered } = openBook(
    (snapshot) => openJournal({ directory: path, sizeBytesMax, clock, log, snapshot }),
    {
      strict: durability === 'strict',
      newStream: () => `${agent ?? 'sidecar'}/${instance}/${randomHex(4)}`,
      ended: () => shipper.nudge(),
      lost: (failure) => log.error('record.not_written', { failure: sentenceOf(failure) }),
    },
  );
  lifecycle.onStop('journal', () => journal.close());
  const controlUrl = options.collectorUrl ?? config.collector;
  const control = createControlPlane({
    controlUrl,
    otlpUrl: options.otlpUrl ?? besideControl(controlUrl, config),
    tokenFile: join(options.dataDirectory, 'token'),
    token: env.OUTRIDER_TOKEN || undefined,
    clock,
    otlpMoved: () => shipper.again(),
  });
  lifecycle.onStop('control plane', () => control.close());
  const resource = { 'service.name': 'outrider-sidecar', 'service.instance.id': instance };
  const shipper = createShipper({
    journal,
    directory: path,
    clock,
    log,
    ship: (body) => control.ship(body),
    encode: (frames) => spansOf(frames, resource),
  });
  lifecycle.onStop('shipper', async () => {
    await shipper.drain(SHIP_AT_STOP_MS);
    shipper.stop();
  });
  return { book, journal, recovered, control, shipper };
}

/** Leases as they were when this sidecar last stopped: calls whose end was not found are ended and posted at their hold. */
function openLeases(
  options: SidecarOptions,
  instance: string,
  edges: Edges & { policy: PolicyInForce },
  lifecycle: Lifecycle,
): Leases {
  const { clock, log } = options;
  const { book, control, recovered, shipper, policy } = edges;
  let lastFailure = '';
  const leases = createLeases({
    instance,
    money: () => policy.current.config.money,
    clock,
    nonce: () => randomHex(12),
    ask: (request) => control.ask(request),
    record: (state) => book.lease(state),
    forget: (lease) => book.forgetLease(lease),
    unanswered(failure) {
      const sentence = sentenceOf(failure);
      if (sentence !== lastFailure) log.warn('ledger.unanswered', { failure: sentence });
      lastFailure = sentence;
    },
  });
  lifecycle.onStop('leases', () => leases.close());
  const unsettled = [...recovered.open.values()];
  const states = [...recovered.leases.values()];
  for (const { record, leases: from, amounts } of unsettled) {
    log.warn('call.outcome_unknown', { call: record.callId, agent: record.agent, target: record.target });
    book.end(record, { decided: true, leases: from, used: amounts });
  }
  leases.restore(states, unsettled);
  shipper.nudge();
  return leases;
}

function openProxy(clock: Clock, policy: PolicyInForce, services: Services): ReverseProxy {
  return createReverseProxy({
    policy: () => policy.current,
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    carry: (accepted) => carry(accepted, services),
    refuse: (failure, accepted) =>
      refuse(failure, accepted, openTrail(accepted, services.trail), services.refusing),
  });
}

/** New calls are refused, running ones may end; whoever is late is cut off. */
async function drain(proxy: ReverseProxy, drainMs: number, clock: Clock): Promise<void> {
  proxy.drain();
  const cancel = clock.after(drainMs, () => proxy.server.closeAllConnections());
  await closed(proxy.server);
  cancel();
}

function ownIdentity(agents: Agents, config: Config, name: string) {
  const identity = agents.identify(config, {});
  if (identity) return identity;
  throw new Error(
    `No agent named ${name} is in the config; it knows ${[...config.agents.keys()].join(', ')}.`,
  );
}

function explain(config: Config, instance: string, name: string, rule: string, clock: Clock) {
  const identity = ownIdentity(
    createAgents({ fixed: name, instance, modeOf: () => undefined, keys: () => [] }),
    config,
    name,
  );
  const subject = parseSubject(rule, config.upstreams);
  const facts = () => ({
    call: callFacts(subject, config.upstreams),
    args: {},
    agent: agentFacts(identity.entry, name),
    task: '',
    cost: 0,
    now: new Date(clock.nowMs()),
  });
  return judge(identity.rules, [subject], facts);
}

function missing(leases: Leases, shipper: Shipper): string[] {
  return [...(leases.unreachable() ? ['ledger'] : []), ...(shipper.lastFailure ? ['collector'] : [])];
}

function dialectFor(call: Known): Dialect {
  return DIALECTS[call.policy.config.upstreams.get(call.upstreamName)?.speaks ?? 'http'] ?? http;
}

function folderOf(root: string, agent: string | null, instance: string): string {
  const safe = (name: string): string => name.replace(/[^A-Za-z0-9._-]/g, '_');
  return agent === null
    ? join(root, 'sidecars', safe(instance))
    : join(root, 'agents', safe(agent), safe(instance));
}

/** The OTLP receiver is beside the control API, on the port the config names. */
function besideControl(controlUrl: string, config: Config): string {
  const url = new URL(controlUrl);
  url.port = config.listen.otlp.slice(config.listen.otlp.lastIndexOf(':') + 1);
  return url.origin;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
