// A fleet at work while one of its agents is put in quarantine: sidecars as real processes, each serving every agent by its
// key, calls at a steady pace through all of them, and an origin that remembers when whose calls came.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Pool } from 'undici';
import {
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

export interface RoundOptions {
  readonly sidecars: number;
  readonly agents: number;
  /** Over all sidecars. */
  readonly callsPerSecond: number;
  /** How long there is work before the command, and after it has returned. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

export interface Round {
  readonly calls: number;
  readonly callsPerSecond: number;
  /** From the command's start, a process of its own, to its return. */
  readonly commandMs: number;
  /** From the command's return to the last call of the agent that came to the origin; negative: it was before. */
  readonly lastArrivalMs: number;
  /** From the command's return until the last call of the agent that had been under way had ended. */
  readonly lastEndMs: number;
  /** Of the agent, calls that came to the origin later than two seconds after the command's return. */
  readonly arrivedLate: number;
  /** Of the agent, what later calls got: a status and a refusal's code, and how many. */
  readonly later: Readonly<Record<string, number>>;
  /** The same of all other agents' calls, over the whole round. */
  readonly others: Readonly<Record<string, number>>;
  /** Calls of others that were under way all the time, and still are. */
  readonly othersUnderWay: number;
}

const KEY = 'key-of-all-agents-0123456789abcdef';
const SUSPECT = 'agent-0';
const ALLOWED_MS = 2_000;
const PACE_MS = 10;

interface Asked {
  readonly agent: string;
  readonly startedMs: number;
  readonly hangs: boolean;
  endedMs: number | null;
  outcome: string;
}

export async function quarantineRound(options: RoundOptions): Promise<Round> {
  const arrivals: { agent: string; atMs: number }[] = [];
  const origin = await startOrigin((agent) => arrivals.push({ agent, atMs: performance.now() }));
  const fleet = await startFleet(
    options.sidecars,
    `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
  );
  const asked: Asked[] = [];
  const ask = (pool: Pool, agent: string, path: string): void => {
    const one: Asked = {
      agent,
      startedMs: performance.now(),
      hangs: path === 'hang',
      endedMs: null,
      outcome: '',
    };
    asked.push(one);
    void pool
      .request({
        path: `/origin/${agent}/${path}`,
        method: 'GET',
        headers: { 'x-outrider-token': KEY, 'x-outrider-agent': agent },
        headersTimeout: 0,
      })
      .then(async ({ statusCode, headers, body }) => {
        await body.dump();
        return [statusCode, headers['x-outrider-refusal']].filter(Boolean).join(' ');
      })
      .catch((failure: Error) => failure.name)
      .then((outcome) => Object.assign(one, { outcome, endedMs: performance.now() }));
  };

  const pools = fleet.proxies.map((url) => new Pool(url, { connections: 64 }));
  for (const pool of pools) for (const agent of [SUSPECT, 'agent-1']) ask(pool, agent, 'hang');
  await until(
    async () => arrivals.length,
    (count) => count === 2 * pools.length,
  );
  const beganMs = performance.now();
  let sent = 0;
  const pace = setInterval(() => {
    const due = Math.floor(((performance.now() - beganMs) / 1000) * options.callsPerSecond);
    for (; sent < due; sent += 1)
      ask(pools[sent % pools.length]!, `agent-${Math.floor(sent / pools.length) % options.agents}`, 'work');
  }, PACE_MS);
  try {
    await pause(options.beforeMs);
    const orderedMs = performance.now();
    const { code, stderr } = await fleet.quarantine(SUSPECT);
    const returnedMs = performance.now();
    if (code !== 0) throw new Error(stderr);
    await pause(options.afterMs);
    clearInterval(pace);
    const callsPerSecond = sent / ((performance.now() - beganMs) / 1000);
    const commandMs = returnedMs - orderedMs;
    return { ...figures(asked, arrivals, returnedMs), callsPerSecond, commandMs };
  } finally {
    clearInterval(pace);
    await Promise.all(pools.map((pool) => pool.destroy()));
    await fleet.stop();
    origin.closeAllConnections();
    origin.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function figures(
  asked: readonly Asked[],
  arrivals: readonly { agent: string; atMs: number }[],
  returnedMs: number,
): Omit<Round, 'callsPerSecond' | 'commandMs'> {
  const own = arrivals.filter(({ agent }) => agent === SUSPECT).map(({ atMs }) => atMs - returnedMs);
  const ownAsked = asked.filter(({ agent }) => agent === SUSPECT);
  const others = asked.filter(({ agent }) => agent !== SUSPECT);
  return {
    calls: asked.length,
    lastArrivalMs: Math.max(...own),
    lastEndMs: Math.max(
      ...ownAsked
        .filter(({ startedMs }) => startedMs < returnedMs)
        .map(({ endedMs }) => (endedMs ?? Number.POSITIVE_INFINITY) - returnedMs),
    ),
    arrivedLate: own.filter((ms) => ms > ALLOWED_MS).length,
    later: counted(
      ownAsked.filter(({ startedMs, endedMs }) => endedMs && startedMs > returnedMs + ALLOWED_MS),
    ),
    others: counted(others.filter(({ endedMs }) => endedMs !== null)),
    othersUnderWay: others.filter(({ hangs, endedMs }) => hangs && endedMs === null).length,
  };
}

function counted(asked: readonly Asked[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of asked) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Answers `/AGENT/work` at once and `/AGENT/hang` never. */
async function startOrigin(heard: (agent: string) => void): Promise<Server> {
  const server = createServer((request, response) => {
    const [, agent = '', what] = (request.url ?? '').split('/');
    heard(agent);
    if (what === 'work') response.end('done');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

interface Working {
  readonly proxies: readonly string[];
  quarantine(agent: string): ReturnType<typeof runOutrider>;
  stop(): Promise<void>;
}

async function startFleet(count: number, origin: string): Promise<Working> {
  const directory = temporaryDirectory('quarantine-round');
  const config = writeConfig(
    directory,
    `fleet: at-work
mode: enforce
budgets: none
upstreams: { origin: { url: "${origin}", speaks: http } }
roles: { worker: { allow: ["http GET ${origin}/**"] } }
agents: { agent-*: { role: worker, key: env:AGENT_KEY } }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`,
  );
  const data = join(directory, 'collector');
  const collector = await startOutrider(['collector', '--config', config, '--data', data], {
    ready: 1,
    env: { OUTRIDER_TOKEN: '', AGENT_KEY: KEY },
  });
  const control = collector.listen.collector!.control!;
  const token = readFileSync(join(data, 'token'), 'utf8').trim();
  const env = { OUTRIDER_TOKEN: token, OUTRIDER_COLLECTOR: control, AGENT_KEY: KEY };
  const sidecars: Started[] = [];
  for (let i = 0; i < count; i += 1)
    sidecars.push(
      await startOutrider(['sidecar', '--config', config, '--data', join(directory, `sidecar-${i}`)], {
        ready: 1,
        env,
      }),
    );
  return {
    proxies: sidecars.map(({ listen }) => listen.sidecar!.proxy!),
    quarantine: (agent) => runOutrider(['quarantine', `agent/${agent}`, '--reason', 'runs wild'], { env }),
    async stop() {
      await Promise.all(sidecars.map((sidecar) => sidecar.kill('SIGKILL')));
      await collector.kill('SIGKILL');
    },
  };
}
