// A small fleet with something to look at: four agents in two departments, one of them only observed, with answers,
// failures, refusals of several kinds, an act that waits for a person, a task over several calls and an agent's own span.

import { join } from 'node:path';
import { type Behaviour, type Provider, startProvider } from '../../examples/provider/provider.ts';
import { buildConsole } from '../../scripts/build-console.ts';
import {
  rows,
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

const CONFIG = `fleet: content-pipeline
mode: enforce
budgets: [$3700/month]
departments:
  marketing: { budgets: [$2000/month] }
  research: { budgets: [$1200/month] }
owners: { content-leads: {}, research-leads: {} }
prohibited: ["http DELETE {provider}/search/**"]
upstreams:
  openai: { url: "{provider}/openai", speaks: openai, credential: openai }
  anthropic: { url: "{provider}/anthropic", speaks: anthropic, credential: anthropic }
  search: { url: "{provider}/search", speaks: http }
  cms: { url: "{provider}/cms", speaks: http }
credentials: { openai: { from: env:REAL_KEY }, anthropic: { from: env:REAL_KEY } }
roles:
  researcher:
    allow: [llm openai/gpt-5-mini, llm anthropic/claude-haiku-4-5*, "http GET {provider}/search/**"]
  writer:
    allow: [llm anthropic/claude-haiku-4-5*, llm anthropic/claude-opus-*]
    ask: ["http POST {provider}/cms/**"]
  watched:
    mode: observe
    allow: [llm openai/gpt-5-mini]
agents:
  trend-scout: { role: researcher, department: research, owner: research-leads, version: 1.4.0, key: env:KEY_1, budgets: [$200/month], task_budgets: [$10] }
  writer-1: { role: writer, department: marketing, owner: content-leads, version: 2.0.1, key: env:KEY_2, budgets: [$400/month] }
  seo-optimizer: { role: researcher, department: marketing, owner: content-leads, version: 1.0.0, key: env:KEY_3, budgets: [$0.002/month] }
  analytics: { role: watched, department: research, owner: research-leads, version: 0.9.0, key: env:KEY_4, budgets: [$40/month] }
prices: { search: { call: $0.005 } }
timeouts: { connect: 2s, first_byte: 2s, idle: 2s, total: 20s }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

const KEYS = { 'trend-scout': 'KEY_1', 'writer-1': 'KEY_2', 'seo-optimizer': 'KEY_3', analytics: 'KEY_4' };
export type StageAgent = keyof typeof KEYS;

export interface Call {
  readonly agent: StageAgent;
  readonly path: string;
  readonly body?: unknown;
  readonly method?: string;
  readonly task?: string;
  readonly trace?: string;
}

export interface Stage {
  readonly provider: Provider;
  readonly data: string;
  readonly control: string;
  readonly otlp: string;
  readonly sql: string;
  readonly collector: Started;
  behave(how: () => Behaviour | undefined): void;
  /** The answer's status and the call's id. */
  call(call: Call): Promise<{ status: number; id: string }>;
  /** Resolves once these calls can be asked for. */
  recorded(ids: readonly string[]): Promise<void>;
  /** At the SQL door. */
  query<T>(sql: string): Promise<T[]>;
  /** A fresh one-time link. */
  link(): Promise<string>;
  stop(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  let behaviour: () => Behaviour | undefined = () => undefined;
  const provider = await startProvider({ behave: () => behaviour() });
  const directory = temporaryDirectory('console');
  const data = join(directory, 'data');
  const config = writeConfig(directory, CONFIG.replaceAll('{provider}', provider.url));
  const keys = Object.fromEntries(Object.values(KEYS).map((key) => [key, `okey-${key}-1234567890`]));
  const env = { REAL_KEY: 'sk-real-canary', OUTRIDER_TOKEN: '', ...keys };
  const [collector] = await Promise.all([
    startOutrider(['collector', '--config', config, '--data', data], { ready: 1, env }),
    buildConsole(),
  ]);
  const { control, otlp, sql } = collector.listen.collector as Record<string, string>;
  const sidecar = await startOutrider(
    ['sidecar', '--config', config, '--data', data, '--collector', control!],
    { ready: 1, env },
  );
  return {
    provider,
    data,
    control: control!,
    otlp: otlp!,
    sql: sql!,
    collector,
    behave(how) {
      behaviour = how;
    },
    async call({ agent, path, body, method, task, trace }) {
      const answer = await fetch(sidecar.listen.sidecar!.proxy + path, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          'x-outrider-token': `okey-${KEYS[agent]}-1234567890`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(task === undefined ? {} : { 'x-outrider-task': task }),
          ...(trace === undefined ? {} : { traceparent: trace }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      await answer.arrayBuffer();
      return { status: answer.status, id: answer.headers.get('x-outrider-call') ?? '' };
    },
    async recorded(ids) {
      const wanted = ids.map((id) => `'${id}'`).join();
      await until(
        () => rows<{ n: string }>(sql!, `SELECT count() AS n FROM actions WHERE call_id IN (${wanted})`),
        ([row]) => Number(row?.n) === ids.length,
      );
    },
    query: (text) => rows(sql!, text),
    async link() {
      const { stdout } = await runOutrider(['console', '--collector', control!, '--data', data], {
        env: { OUTRIDER_TOKEN: '' },
      });
      return stdout.trim();
    },
    async stop() {
      await sidecar.kill('SIGTERM');
      await collector.kill('SIGTERM');
      await provider.close();
    },
  };
}
