// One agent's way out. The only file of the sidecar that builds things: opens the edges, starts the doors, and on
// stop drains what is in flight, gives the leases back and ships what is recorded.

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DialectName } from '../contract/attributes.ts';
import { HEARTBEAT_MS } from '../contract/budget.ts';
import type { Config } from '../contract/config/config.ts';
import { judge } from '../contract/rules/judge.ts';
import { subjectOf } from '../contract/rules/subject.ts';
import type { Clock } from '../kit/clock.ts';
import { openDataDirectory } from '../kit/data-directory.ts';
import { createLifecycle } from '../kit/lifecycle.ts';
import { listenOn } from '../kit/listen.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import { createBodies } from './accept/body.ts';
import { lineageOf, randomHex } from './accept/lineage.ts';
import { createReverseProxy, type Door } from './accept/reverse-proxy.ts';
import { createAdmin } from './admin.ts';
import { openBook, spansOf } from './book.ts';
import type { Accepted, Policy } from './call.ts';
import { anthropic } from './dialects/anthropic.ts';
import type { Dialect } from './dialects/dialect.ts';
import { http } from './dialects/http.ts';
import { openai } from './dialects/openai.ts';
import { createControlPlane } from './edges/control-plane.ts';
import { createSecrets } from './edges/credentials.ts';
import { openJournal } from './edges/journal.ts';
import { createShipper } from './edges/shipper.ts';
import { createUpstreams } from './edges/upstreams.ts';
import { createMeters } from './meters.ts';
import { carry, type Services } from './pipeline.ts';
import { refuse } from './refuse.ts';
import { type AgentKey, createAgents } from './state/agents.ts';
import { createCircuits } from './state/circuits.ts';
import { createLeases } from './state/leases.ts';
import { createPriceBook } from './state/prices.ts';
import { createRates } from './state/rates.ts';
import { createTasks } from './state/tasks.ts';
import { type Known, openTrail } from './trail.ts';

export interface SidecarOptions {
  readonly config: Config;
  /** The root that collector and sidecars share; this sidecar takes a folder of its own in it. */
  readonly dataDirectory: string;
  /** All traffic is this agent's; null identifies each call by its agent key. */
  readonly agent: string | null;
  readonly instance?: string;
  /** The collector's control API; the config's when not given. */
  readonly collectorUrl?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Sidecar {
  readonly listen: { readonly proxy: string; readonly admin: string };
  readonly instance: string;
  /** Refuses new calls, lets running ones end, gives money back, ships the records. Never rejects. */
  stop(): Promise<void>;
}

const DIALECTS: Readonly<Partial<Record<DialectName, Dialect>>> = { openai, anthropic, http };
const KEYS_FRESH_MS = 30_000;
const SHIP_AT_STOP_MS = 5_000;
const STOP_STEPS_MS = 15_000;

/** Throws an Error with one sentence when it cannot start: a taken port, a locked folder, an unknown agent. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { config, clock, log, env } = options;
  const instance = options.instance ?? env.HOSTNAME ?? hostname();
  const lifecycle = createLifecycle(log);
  try {
    return await start();
  } catch (failure) {
    await lifecycle.stop(STOP_STEPS_MS);
    throw failure;
  }

  async function start(): Promise<Sidecar> {
    const policy: Policy = { config, digest: config.digest };
    const directory = openDataDirectory(folderOf(options.dataDirectory, options.agent, instance));
    lifecycle.onStop('data directory', () => directory.release());

    const { book, journal, recovered } = openBook(
      (snapshot) =>
        openJournal({ directory: directory.path, sizeBytesMax: config.journal.sizeBytesMax, clock, log, snapshot }),
      {
        strict: config.journal.durability === 'strict',
        newStream: () => `${options.agent ?? 'sidecar'}/${instance}/${randomHex(4)}`,
        ended: () => shipper.nudge(),
      },
    );
    lifecycle.onStop('journal', () => journal.close());

    const control = createControlPlane({
      controlUrl: options.collectorUrl ?? config.collector,
      otlpUrl: otlpUrlOf(options.collectorUrl ?? config.collector, config),
      tokenFile: join(options.dataDirectory, 'token'),
      token: env.OUTRIDER_TOKEN || undefined,
      clock,
    });
    lifecycle.onStop('control plane', () => control.close());

    const resource = { 'service.name': 'outrider-sidecar', 'service.instance.id': instance, 'outrider.fleet': config.fleet };
    const shipper = createShipper({
      journal,
      directory: directory.path,
      clock,
      log,
      ship: (body) => control.ship(body),
      encode: (frames) => spansOf(frames, resource),
    });
    lifecycle.onStop('shipper', async () => {
      await shipper.drain(SHIP_AT_STOP_MS);
      shipper.stop();
    });

    let ledgerFailure: string | null = null;
    const leases = createLeases({
      instance,
      money: config.money,
      clock,
      ask: (request) => control.ask(request),
      record: (state) => book.lease(state),
      forget: (lease) => book.forgetLease(lease),
      unanswered: (failure) => {
        const sentence = sentenceOf(failure);
        if (sentence !== ledgerFailure) log.warn('ledger.unanswered', { failure: sentence });
        ledgerFailure = sentence;
      },
    });
    lifecycle.onStop('leases', () => leases.close());
    for (const { record, leases: from, amounts } of recovered.open.values()) {
      log.warn('call.outcome_unknown', { call: record.callId, agent: record.agent, target: record.target });
      book.end(record, { decided: true, leases: from, used: amounts });
    }
    leases.restore([...recovered.leases.values()], [...recovered.open.values()]);
    shipper.nudge();

    const secrets = createSecrets(clock, env);
    const keys = await agentKeys();
    const agents = createAgents({ fixed: options.agent, instance, keys: () => keys.current() });
    lifecycle.onStop('agent keys', () => keys.stop());
    if (options.agent !== null && !agents.identify(config, {})) {
      throw new Error(`No agent named ${options.agent} is in the config; it knows ${[...config.agents.keys()].join(', ')}.`);
    }

    const prices = createPriceBook(config);
    const bodies = createBodies(config.limits.bodyBytesInFlightMax);
    const tasks = createTasks(clock, () => randomHex(6));
    const circuits = createCircuits(config.breakers, clock);
    const upstreams = createUpstreams();
    lifecycle.onStop('upstreams', () => upstreams.close());
    const meters = createMeters();
    const present = createPresence();

    const services: Services = {
      identification: {
        agents,
        lineageOf: (headers, agent) => {
          present.seen(agent);
          return lineageOf(headers, agent, tasks);
        },
      },
      classification: { dialects: DIALECTS, bodies },
      authorization: { rates: createRates(clock), now: () => new Date(clock.nowMs()) },
      reservation: { leases, prices },
      circuits,
      secrets,
      upstreams,
      trail: { book, prices, clock, log, ended: (record) => meters.count(record) },
      refusing: {
        dialectFor: (call) => DIALECTS[config.upstreams.get(call.upstreamName)?.speaks ?? 'http'] ?? http,
        log,
      },
    };

    let loopback = true;
    const door: Door = {
      policy: () => policy,
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      loopback: () => loopback,
      carry: (accepted) => carry(accepted, services),
      refuse: (failure, accepted: Accepted) =>
        refuse(failure, accepted as Known, openTrail(accepted, services.trail), services.refusing),
    };
    const proxy = createReverseProxy(door);
    const admin = createAdmin(
      {
        missing: () => [
          ...(leases.unreachable() ? ['ledger'] : []),
          ...(shipper.lastFailure ? ['collector'] : []),
        ],
        broken: () => (journal.failing ? 'the journal cannot be written' : null),
        purses: () => leases.purses(),
        explain: (agent, rule) => explain(agent, rule),
        endTask: (task, end) => control.endTask(task, { ...end, agent: end.agent ?? options.agent ?? '' }),
        metrics: () => meters.render({ journal, circuits, inFlight: () => proxy.inFlight, bodies }),
      },
      () => loopback,
    );

    const adminAt = await listenOn(admin, config.listen.admin, 'listen.admin');
    lifecycle.onStop('admin', () => closeServer(admin));
    const proxyAt = await listenOn(proxy.server, config.listen.proxy, 'listen.proxy');
    loopback = isLoopback(proxyAt.host);
    lifecycle.onStop('proxy', () => drain());
    if (options.agent !== null) {
      present.seen(options.agent);
      leases.warm(options.agent);
    }
    return { listen: { proxy: proxyAt.url, admin: adminAt.url }, instance, stop: () => lifecycle.stop(config.drainMs + STOP_STEPS_MS) };

    function explain(agent: string | null, rule: string) {
      const name = agent ?? options.agent;
      const identity = name === null ? undefined : createAgents({ fixed: name, instance, keys: () => [] }).identify(config, {});
      if (!identity) throw new Error(`No agent named ${name ?? ''} is in the config.`);
      const now = new Date(clock.nowMs());
      const facts = () => ({ call: {}, args: {}, agent: { name: identity.name }, task: '', cost: 0, now });
      return judge(identity.rules, [subjectOf(rule, config)], facts);
    }

    async function drain(): Promise<void> {
      proxy.drain();
      const closed = closeServer(proxy.server);
      const late = clock.after(config.drainMs, () => proxy.server.closeAllConnections());
      await closed;
      late();
    }

    /** Heartbeats and recalls for every agent that was seen here. */
    function createPresence() {
      const seen = new Set<string>();
      const beat = (name: string): void => {
        const identity = createAgentsView(name);
        control
          .heartbeat({
            name,
            instance,
            mode: identity,
            health: journal.failing ? 'degraded' : 'ok',
            policy: config.digest,
          })
          .catch((failure) => log.info('heartbeat.unanswered', { failure: sentenceOf(failure) }));
      };
      const timer = setInterval(() => seen.forEach(beat), HEARTBEAT_MS);
      timer.unref();
      lifecycle.onStop('heartbeats', () => clearInterval(timer));
      return {
        seen(name: string) {
          if (seen.has(name)) return;
          seen.add(name);
          beat(name);
          control.follow(name, instance, ({ lease }) => leases.recall(lease));
        },
      };
    }

    function createAgentsView(name: string): string {
      return createAgents({ fixed: name, instance, keys: () => [] }).identify(config, {})?.mode ?? config.mode;
    }

    /** The agents' own keys, read at start and again every half minute, so that a revoked one stops working. */
    async function agentKeys() {
      let keys: AgentKey[] = [];
      const read = async (): Promise<void> => {
        const found: AgentKey[] = [];
        for (const { pattern, key } of config.agents.values()) {
          if (!key) continue;
          try {
            found.push({ pattern, key: await secrets.read(key) });
          } catch (failure) {
            log.warn('agent_key.unreadable', { agent: pattern, failure: sentenceOf(failure) });
          }
        }
        keys = found;
      };
      await read();
      const timer = setInterval(() => void read(), KEYS_FRESH_MS);
      timer.unref();
      return { current: () => keys, stop: () => clearInterval(timer) };
    }
  }
}

function folderOf(root: string, agent: string | null, instance: string): string {
  const safe = (name: string): string => name.replace(/[^A-Za-z0-9._-]/g, '_');
  return agent === null ? join(root, 'sidecars', safe(instance)) : join(root, 'agents', safe(agent), safe(instance));
}

/** The OTLP receiver sits beside the control API, on the port the config names. */
function otlpUrlOf(controlUrl: string, config: Config): string {
  const url = new URL(controlUrl);
  url.port = config.listen.otlp.slice(config.listen.otlp.lastIndexOf(':') + 1);
  return url.origin;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function closeServer(server: import('node:http').Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
