// One round of: a sidecar and a collector as processes of their own, a budget of $10, calls of $1 from several clients,
// and a `kill -9` of the sidecar, the collector or the store process at a random moment. What must hold afterwards is
// checked here. A failure names the seed.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { freePorts } from '../support/ports.ts';
import {
  control,
  rows,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { type Budget, REAL_KEY, SAMPLE } from './fleet.ts';

const VICTIMS = ['sidecar', 'collector', 'store'] as const;
const DOLLAR = 1_000_000_000;
const LIMIT = 10;

/** Mulberry32: small, seeded, good enough to choose moments. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function killRound(seed: number): Promise<void> {
  const next = random(seed);
  const victim = VICTIMS[Math.floor(next() * VICTIMS.length)]!;
  const killAfterMs = 20 + next() * 600;
  const provider = await startProvider({
    behave: () => ({ usage: { input: 10, output: 1 }, firstByteMs: next() * 60 }),
  });
  const [proxy, admin, otlp, controlPort, sql] = await freePorts(5);
  const directory = temporaryDirectory('kill');
  const data = join(directory, 'data');
  const yaml = SAMPLE.replace('budgets: [$100/month], task_budgets: [$50]', `budgets: [$${LIMIT}/month]`)
    .replaceAll('{provider}', provider.url)
    .replace(
      /^listen:.*$/m,
      `listen: { proxy: 127.0.0.1:${proxy}, admin: 127.0.0.1:${admin}, otlp: 127.0.0.1:${otlp}, otlp_grpc: 127.0.0.1:0, control: 127.0.0.1:${controlPort}, sql: 127.0.0.1:${sql} }\ncollector: http://127.0.0.1:${controlPort}`,
    );
  const config = writeConfig(directory, yaml);
  const env = { REAL_KEY, OUTRIDER_TOKEN: '' };
  const startCollector = (): Promise<Started> =>
    startOutrider(['collector', '--config', config, '--data', data], { ready: 1, env });
  const startSidecar = (): Promise<Started> =>
    startOutrider(['sidecar', '--config', config, '--data', data, '--agent', 'scout'], { ready: 1, env });

  let collector = await startCollector();
  let sidecar = await startSidecar();
  try {
    const storm = callsFor(`http://127.0.0.1:${proxy}`, 40, 1_200);
    await pause(killAfterMs);
    if (victim === 'sidecar') {
      await sidecar.kill('SIGKILL');
      sidecar = await startSidecar();
    } else if (victim === 'collector') {
      await collector.kill('SIGKILL');
      collector = await startCollector();
    } else {
      process.kill(storeProcessOf(collector.child.pid!), 'SIGKILL');
    }
    await storm;
    const sqlUrl = collector.listen.collector!.sql!;
    const reached = provider.requests.length;
    // AUD-09: whatever reached the origin has its record
    const stored = await until(
      () =>
        rows<{ calls: string; spent: string; ids: string }>(
          sqlUrl,
          "SELECT toString(count()) AS calls, toString(sum(cost_usd)) AS spent, toString(uniqExact(call_id)) AS ids FROM actions WHERE upstream = 'openai' AND status IN ('success', 'failure', 'timeout')",
        ).catch(() => []),
      ([row]) => Number(row?.calls) >= reached,
      30_000,
    );
    const context = `seed ${seed}: ${victim} killed after ${killAfterMs.toFixed(0)} ms; ${reached} reached the provider`;
    expect(reached, context).toBeLessThanOrEqual(LIMIT);
    expect(Number(stored[0]!.ids), `${context}; one row per call`).toBe(Number(stored[0]!.calls));
    expect(Number(stored[0]!.spent), context).toBeLessThanOrEqual(LIMIT);
    const budgets = await until(
      () => control<Budget[]>(collector.listen.collector!.control!, data, '/v1/budgets').catch(() => []),
      (lines) => lines.some(({ level }) => level === 'agent'),
    );
    const agent = budgets.find(({ level }) => level === 'agent')!;
    expect(Number(agent.posted) + Number(agent.held), context).toBeLessThanOrEqual(LIMIT * DOLLAR);
    expect(Number(agent.posted) + Number(agent.held), context).toBeGreaterThanOrEqual(reached * DOLLAR);
  } finally {
    await sidecar.kill('SIGKILL');
    await collector.kill('SIGKILL');
    await provider.close();
  }
}

/** `workers` clients that call again and again for a while; refusals and broken connections are part of it. */
async function callsFor(proxy: string, workers: number, durationMs: number): Promise<void> {
  const until_ = performance.now() + durationMs;
  const body = JSON.stringify({
    model: 'dollar',
    max_completion_tokens: 1,
    messages: [{ role: 'user', content: 'hi' }],
  });
  const worker = async (): Promise<void> => {
    while (performance.now() < until_) {
      try {
        const answer = await fetch(`${proxy}/openai/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
        await answer.arrayBuffer();
      } catch (failure) {
        if (!(failure instanceof TypeError)) throw failure; // the sidecar is dead: its port refuses
      }
      await pause(20);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

/** The one child of the collector that holds the store. */
export function storeProcessOf(parent: number): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [, rest = ''] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ');
      if (Number(rest.split(' ')[1]) === parent) return Number(name);
    } catch (failure) {
      if (
        (failure as NodeJS.ErrnoException).code !== 'ENOENT' &&
        (failure as NodeJS.ErrnoException).code !== 'ESRCH'
      )
        throw failure;
    }
  }
  throw new Error(`process ${parent} has no child`);
}
