// A whole Outrider for a test: the practice provider, and `outrider up` as a real process on free ports.

import { join } from 'node:path';
import type { AgentLine } from '../../contract/budget.ts';
import {
  type Behaviour,
  type Provider,
  type ReceivedRequest,
  startProvider,
} from '../../examples/provider/provider.ts';
import { openCallRows } from '../support/call-rows.ts';
import {
  control,
  rows,
  type Started,
  startOutrider,
  temporaryDirectory,
  writeConfig,
} from '../support/processes.ts';

export const REAL_KEY = 'sk-real-canary-7f3a9c1e5b2d';
export const AGENT_KEY = 'sk-agent-canary-0d4b8e6f1a3c';

export interface Fleet {
  readonly provider: Provider;
  readonly directory: string;
  readonly config: string;
  /** What the provider does from now on. */
  behave(how: (request: ReceivedRequest) => Behaviour | undefined): void;
  readonly proxy: string;
  readonly admin: string;
  readonly sql: string;
  readonly control: string;
  /** Everything the process wrote so far. */
  output(): string;
  query<T = Record<string, unknown>>(text: string): Promise<T[]>;
  /** The rows of these calls, once all are there. */
  actions(calls: readonly string[]): Promise<Action[]>;
  budgets(): Promise<Budget[]>;
  agents(): Promise<AgentLine[]>;
  process(): Started;
  restart(signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<number | null>;
}

export interface Action {
  readonly call_id: string;
  readonly status: string;
  readonly refusal: string;
  readonly verdict: string;
  readonly would_verdict: string;
  readonly http_status: number;
  readonly tokens_in: string | number | null;
  readonly tokens_out: string | number | null;
  readonly tokens_cached: string | number | null;
  readonly cost_usd: string | number | null;
  readonly usage_source: string;
  readonly model: string;
  readonly target: string;
  readonly credential: string;
  readonly task_id: string;
}

export interface Budget {
  readonly level: string;
  readonly name: string;
  readonly window: string;
  readonly limit: string;
  readonly posted: string;
  readonly held: string;
}

/** `{provider}` in the text is replaced by the provider's address. */
export const SAMPLE = `fleet: test
mode: enforce
budgets: [$1000/month]
departments: { lab: { budgets: [$500/month] } }
upstreams:
  openai: { url: "{provider}/openai", speaks: openai, credential: openai }
  anthropic: { url: "{provider}/anthropic", speaks: anthropic, credential: anthropic }
  search: { url: "{provider}/search", speaks: http, credential: search }
credentials:
  openai: { from: env:REAL_KEY }
  anthropic: { from: env:REAL_KEY }
  search: { from: env:REAL_KEY, header: x-search-key }
roles:
  researcher:
    allow:
      - llm openai/gpt-5-mini
      - llm openai/dollar
      - llm openai/text-embedding-3-*
      - llm anthropic/claude-haiku-4-5*
      - http GET {provider}/search/**
    ask: [llm openai/gpt-5-pro]
agents:
  scout: { role: researcher, department: lab, version: 1.0.0, budgets: [$100/month], task_budgets: [$50] }
prices:
  openai/dollar: { input: 0, output: 1000000, max_output: 1 }
  search: { call: $0.005 }
timeouts: { connect: 2s, first_byte: 2s, idle: 2s, total: 20s }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

export async function startFleet(yaml = SAMPLE): Promise<Fleet> {
  let behaviour: (request: ReceivedRequest) => Behaviour | undefined = () => undefined;
  const provider = await startProvider({ behave: (request) => behaviour(request) });
  const directory = temporaryDirectory('fleet');
  const config = writeConfig(directory, yaml.replaceAll('{provider}', provider.url));
  const data = join(directory, 'data');
  let earlier = '';
  const start = (): Promise<Started> =>
    startOutrider(['up', '--config', config, '--data', data], {
      ready: 2,
      env: { REAL_KEY, OUTRIDER_TOKEN: '' },
    });
  let process_ = await start();
  const query = <T>(text: string): Promise<T[]> => rows<T>(process_.listen.collector!.sql!, text);
  const rowsOf = openCallRows<Action>(query);
  return {
    provider,
    directory: data,
    config,
    behave: (how) => {
      behaviour = how;
    },
    get proxy() {
      return process_.listen.sidecar!.proxy!;
    },
    get admin() {
      return process_.listen.sidecar!.admin!;
    },
    get sql() {
      return process_.listen.collector!.sql!;
    },
    get control() {
      return process_.listen.collector!.control!;
    },
    output: () => earlier + process_.output(),
    query,
    actions: (calls) =>
      rowsOf(calls).catch((failure: unknown) => {
        throw new Error(`rows of ${calls.join()} are missing:\n${process_.output()}`, { cause: failure });
      }),
    budgets: () => control<Budget[]>(process_.listen.collector!.control!, data, '/v1/budgets'),
    agents: () => control<AgentLine[]>(process_.listen.collector!.control!, data, '/v1/agents'),
    process: () => process_,
    async restart(signal = 'SIGKILL') {
      await process_.kill(signal);
      earlier += process_.output();
      process_ = await start();
    },
    async stop() {
      process_.child.kill('SIGTERM');
      const code = await process_.exited;
      await provider.close();
      return code;
    },
  };
}
