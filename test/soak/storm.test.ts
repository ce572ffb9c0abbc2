// CB-14 with real processes: a sidecar for each agent, the official SDK in every second one, and a provider that answers 529
// for a while. STORM_SIDECARS (20) and STORM_SECONDS (60) make it smaller; circuits are set to a storm of a minute.

import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { expect, it } from 'vitest';
import { startProvider } from '../../examples/provider/provider.ts';
import { startOutrider, temporaryDirectory, writeConfig } from '../support/processes.ts';

const SIDECARS = Number(process.env.STORM_SIDECARS ?? 20);
const STORM_MS = Number(process.env.STORM_SECONDS ?? 60) * 1000;
const CALM_MS = STORM_MS / 2;
const THINKING_MS = 500;
const AGENTS = Array.from({ length: SIDECARS }, (_, index) => `agent-${index}`);

const yaml = (provider: string): string => `fleet: storm
mode: enforce
budgets: [$1000/day]
upstreams: { anthropic: { url: "${provider}/anthropic", speaks: anthropic, credential: key } }
credentials: { key: { from: env:REAL_KEY } }
roles: { any: { allow: [llm anthropic/*] } }
agents: { ${AGENTS.map((name) => `${name}: { role: any }`).join(', ')} }
breakers: { window: 30s, cooldown: 5s, cooldown_max: 10s }
drain: 1s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

type Phase = 'calm' | 'storm' | 'after';

it(`asks at most 1.1 times what ${SIDECARS} agents began, and is not run over`, async () => {
  const asked: Record<Phase, number> = { calm: 0, storm: 0, after: 0 };
  const begun: Record<Phase, number> = { calm: 0, storm: 0, after: 0 };
  const served: Record<Phase, number> = { calm: 0, storm: 0, after: 0 };
  const perSecond = new Map<number, number>();
  let phase: Phase = 'calm';
  let over = false;
  const provider = await startProvider({
    keepRequests: false,
    behave() {
      asked[phase] += 1;
      const second = Math.floor(performance.now() / 1000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      return phase === 'storm' ? { status: 529, headers: { 'retry-after': '1' } } : {};
    },
  });
  const directory = temporaryDirectory('storm');
  const common = ['--config', writeConfig(directory, yaml(provider.url)), '--data', join(directory, 'data')];
  const env = { REAL_KEY: 'sk-real', OUTRIDER_TOKEN: '' };
  const collector = await startOutrider(['collector', ...common], { ready: 1, env });
  const at = collector.listen.collector!;
  const sidecars = [];
  for (const name of AGENTS) {
    const args = ['sidecar', ...common, '--agent', name, '--collector', at.control!];
    sidecars.push(await startOutrider(args, { ready: 1, env }));
  }

  const agent = async (proxy: string, maxRetries: number): Promise<void> => {
    const client = new Anthropic({ baseURL: `${proxy}/anthropic`, apiKey: 'agent', maxRetries });
    while (!over) {
      const began = phase;
      begun[began] += 1;
      await client.messages
        .create({ model: 'claude-haiku-4-5', max_tokens: 20, messages: [{ role: 'user', content: 'hi' }] })
        .then(
          () => {
            served[phase] += 1;
          },
          () => undefined,
        );
      await pause(THINKING_MS * (0.5 + Math.random()));
    }
  };
  const working = sidecars.map(({ listen }, index) => agent(listen.sidecar!.proxy!, index % 2 === 0 ? 2 : 0));
  await pause(CALM_MS);
  phase = 'storm';
  const stormFrom = Math.ceil(performance.now() / 1000);
  await pause(STORM_MS);
  phase = 'after';
  const afterFrom = Math.ceil(performance.now() / 1000);
  await pause(CALM_MS);
  over = true;
  await Promise.all(working);
  for (const { kill } of sidecars) await kill('SIGKILL');
  await collector.kill('SIGKILL');
  await provider.close();

  const peak = (from: number, to: number): number =>
    Math.max(...[...perSecond].filter(([second]) => second >= from && second < to).map(([, count]) => count));
  const peaks = { before: peak(0, stormFrom), after: peak(afterFrom, Number.POSITIVE_INFINITY) };
  console.log(JSON.stringify({ sidecars: SIDECARS, begun, asked, served, peaks }));
  expect(asked.storm).toBeLessThanOrEqual(1.1 * begun.storm + SIDECARS);
  expect(served.after).toBeGreaterThan(0);
  expect(peaks.after).toBeLessThanOrEqual(1.5 * peaks.before);
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
