// The whole fleet, started: fake providers in this process, and as processes of their own one collector, twenty agents,
// and a sidecar beside each. Agents come first, because the configuration names where they listen.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Attempt } from './agent/tally.ts';
import { configurationOf, KEYS, type Key } from './configuration.ts';
import { ALERTS_PACE } from './incidents.ts';
import { MEMBERS } from './plan.ts';
import { type Child, startChild } from './processes.ts';
import { type Bill, openBill } from './world/bill.ts';
import { type Models, startModels } from './world/models.ts';
import { type PagerdutyDouble, startPagerduty } from './world/pagerduty.ts';
import { type Services, startServices } from './world/services.ts';
import { type SlackDouble, startSlack } from './world/slack.ts';

export interface FleetOptions {
  /** Where everything is kept: data, logs, the configuration. */
  readonly directory: string;
  /** The `outrider` script. */
  readonly cli: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What agents say: `finished`, `published`, `failed`. */
  heard(line: Readonly<Record<string, unknown>>): void;
  progress(sentence: string): void;
  /** Told at once how to end whatever runs by then. */
  started(stop: () => Promise<void>): void;
}

export interface Books {
  readonly attempts: readonly Attempt[];
  /** Spans of handoffs that agents received. */
  readonly received: readonly string[];
}

export interface Fleet {
  readonly bill: Bill;
  readonly models: Models;
  readonly pagerduty: PagerdutyDouble;
  readonly slack: SlackDouble;
  readonly collector: Child;
  readonly config: string;
  readonly data: string;
  /** Direct, as a person would: not through a sidecar. Rejects unless it is answered with 2xx. */
  tell(agent: string, path: string, message?: unknown): Promise<unknown>;
  /** `kill -9` of an agent's sidecar. */
  killSidecar(agent: string): Promise<void>;
  /** Starts it again and tells its agent where it is now. */
  startSidecar(agent: string): Promise<void>;
  books(): Promise<Books>;
  stopAgents(): Promise<void>;
  /** Ends everything, the collector last. Never rejects. */
  stop(): Promise<void>;
}

const HERE = extname(import.meta.filename);
const AGENT = join(import.meta.dirname, 'agent', `main${HERE}`);

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const opened: (() => Promise<unknown>)[] = [];
  const ending = new AbortController();
  const stop = async (): Promise<void> => {
    while (opened.length > 0)
      await opened
        .pop()?.()
        .catch(() => undefined);
    ending.abort();
  };
  options.started(stop);
  try {
    return await open(options, opened, stop, ending.signal);
  } catch (failure) {
    await stop();
    throw failure;
  }
}

async function open(
  { directory, cli, env, heard, progress }: FleetOptions,
  opened: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
  signal: AbortSignal,
): Promise<Fleet> {
  const logs = join(directory, 'logs');
  const data = join(directory, 'data');
  mkdirSync(logs, { recursive: true });
  const bill = openBill();
  const [pagerduty, slack] = await Promise.all([startPagerduty(), startSlack()]);
  opened.push(
    () => pagerduty.close(),
    () => slack.close(),
  );
  const keys = Object.fromEntries(KEYS.map((key) => [key, join(directory, `${key}.key`)])) as Record<
    Key,
    string
  >;
  writeFileSync(keys.pagerduty, randomBytes(16).toString('hex'), { mode: 0o600 });
  writeFileSync(keys.slack, slack.url, { mode: 0o600 });
  const models = await startModels(bill, drawKey(keys.models));
  opened.push(() => models.close());
  const services: Services = await startServices(bill, drawKey(keys.services));
  opened.push(() => services.close());

  const agents = new Map<string, Child>();
  progress(`starting ${MEMBERS.length} agents`);
  opened.push(() => Promise.all([...agents.values()].map((agent) => agent.kill('SIGKILL'))));
  await Promise.all(
    MEMBERS.map(async ({ name }) => {
      const log = join(logs, `${name}.agent.log`);
      agents.set(
        name,
        await startChild({ name, args: [AGENT], env: { ...env, FLEET_AGENT: name }, signal, log, heard }),
      );
    }),
  );

  const config = join(directory, 'outrider.yaml');
  const urls = new Map(MEMBERS.map(({ name }) => [name, agents.get(name)!.listen.http!]));
  writeFileSync(config, configurationOf({ models: models.url, services: services.url, agents: urls, keys }));
  const own = { ...env, OUTRIDER_TOKEN: '' };
  const shared = ['--config', config, '--data', data];
  progress('starting the collector');
  const collector = await startChild({
    name: 'collector',
    args: [cli, 'collector', ...shared],
    env: { ...own, OUTRIDER_ALERTS_PACE: String(ALERTS_PACE), OUTRIDER_PAGERDUTY_URL: pagerduty.url },
    signal,
    log: join(logs, 'collector.log'),
  });
  opened.push(() => collector.kill('SIGTERM'));

  const sidecars = new Map<string, Child>();
  const tell = async (agent: string, path: string, message: unknown = {}): Promise<unknown> => {
    const answer = await fetch(`${urls.get(agent)}${path}`, {
      method: path === '/tally' ? 'GET' : 'POST',
      ...(path !== '/tally' && { body: JSON.stringify(message) }),
    });
    if (!answer.ok)
      throw new Error(`${agent} answered ${path} with ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  const startSidecar = async (name: string): Promise<void> => {
    const args = [
      cli,
      'sidecar',
      ...shared,
      '--agent',
      `${name}/${name}-1`,
      '--collector',
      collector.listen.control!,
    ];
    const log = join(logs, `${name}.sidecar.log`);
    const sidecar = await startChild({ name: `the sidecar of ${name}`, args, env: own, signal, log });
    sidecars.set(name, sidecar);
    const { proxy, admin } = sidecar.listen;
    await tell(name, '/begin', { proxy, admin, otlp: collector.listen.otlp });
    writeTargets(directory, collector, sidecars.values());
  };
  progress(`starting ${MEMBERS.length} sidecars`);
  opened.push(() => Promise.all([...sidecars.values()].map((sidecar) => sidecar.kill('SIGTERM'))));
  await Promise.all(MEMBERS.map(({ name }) => startSidecar(name)));

  return {
    bill,
    models,
    pagerduty,
    slack,
    collector,
    config,
    data,
    tell,
    startSidecar,
    killSidecar: async (name) => sidecars.get(name)?.kill('SIGKILL'),
    async books() {
      const all = (await Promise.all(MEMBERS.map(({ name }) => tell(name, '/tally')))) as Books[];
      return {
        attempts: all.flatMap(({ attempts }) => attempts),
        received: all.flatMap(({ received }) => received),
      };
    },
    async stopAgents() {
      await Promise.all([...sidecars.values()].map((sidecar) => sidecar.kill('SIGTERM')));
      await Promise.all([...agents.values()].map((agent) => agent.kill('SIGKILL')));
    },
    stop,
  };
}

function drawKey(file: string): string {
  const key = `fleet-${randomBytes(12).toString('hex')}`;
  writeFileSync(file, key, { mode: 0o600 });
  return key;
}

/** What a Prometheus may scrape, as `file_sd_configs` reads it; a sidecar that comes back has another port. */
function writeTargets(directory: string, collector: Child, sidecars: Iterable<Child>): void {
  const host = (url = ''): string => new URL(url).host;
  const groups = [
    { targets: [host(collector.listen.control)], labels: { job: 'outrider-collector' } },
    { targets: [...sidecars].map(({ listen }) => host(listen.admin)), labels: { job: 'outrider-sidecar' } },
  ];
  const file = join(directory, 'prometheus-targets.json');
  writeFileSync(`${file}.next`, JSON.stringify(groups, null, 2));
  renameSync(`${file}.next`, file);
}

/** The join token of the fleet's collector. */
export const tokenOf = (data: string): string => readFileSync(join(data, 'token'), 'utf8').trim();
