// A fleet with a history for auditors to ask about, made of real calls through a real sidecar that serves many agents by
// their keys: handoffs, refusals, failures, a crash in the middle of a call, a mode changed for a while, tasks that end.

import { join } from 'node:path';
import {
  type Behaviour,
  type Provider,
  type ReceivedRequest,
  startProvider,
} from '../../examples/provider/provider.ts';
import {
  rows,
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

const YAML = `fleet: newsroom
mode: enforce
budgets: [$1000/month]
departments: { lab: { budgets: [$500/month] }, press: { budgets: [$500/month] } }
owners: { ana: {}, ben: {} }
prohibited: ["http DELETE {provider}/search/**"]
upstreams:
  openai: { url: "{provider}/openai", speaks: openai, credential: openai }
  anthropic: { url: "{provider}/anthropic", speaks: anthropic, credential: anthropic }
  search: { url: "{provider}/search", speaks: http, credential: search }
  cms: { url: "{provider}/cms", speaks: http }
credentials:
  openai: { from: env:REAL_KEY }
  openai-press: { from: env:REAL_KEY }
  anthropic: { from: env:REAL_KEY }
  search: { from: env:REAL_KEY, header: x-search-key }
roles:
  planner:
    allow: [llm openai/gpt-5-mini, llm openai/gpt-5, "http GET {provider}/search/**", "http GET {provider}/cms/**"]
    ask: [llm openai/gpt-5-pro]
    deny: [llm openai/gpt-5-nano]
  writer: { allow: [llm openai/gpt-5-mini, "http * {provider}/cms/**"] }
  shadow: { mode: observe, allow: [llm openai/gpt-5-mini] }
  looper: { allow: [llm anthropic/claude-haiku-4-5] }
agents:
  planner: { role: planner, department: lab, owner: ana, version: 1.0.0, budgets: [$100/month], key: env:KEY_PLANNER }
  writer: { role: writer, department: press, owner: ben, version: 2.1.0, key: env:KEY_WRITER, credentials: { openai: openai-press } }
  shadow: { role: shadow, department: press, owner: ben, key: env:KEY_SHADOW }
  looper: { role: looper, department: lab, owner: ana, key: env:KEY_LOOPER }
  poor: { role: looper, department: lab, owner: ana, budgets: [$0.0000001/month], key: env:KEY_POOR }
prices:
  search: { call: $0.005 }
retries: none
timeouts: { connect: 2s, first_byte: 1s, idle: 2s, total: 5s }
money: { lease: 2s }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;
const AGENTS = ['planner', 'writer', 'shadow', 'looper', 'poor'] as const;
export type AgentName = (typeof AGENTS)[number];

const keyOf = (agent: string): string => `key-of-${agent}-0123456789`;
const ENVIRONMENT = {
  REAL_KEY: 'sk-real-0123456789',
  OUTRIDER_TOKEN: '',
  ...Object.fromEntries(AGENTS.map((agent) => [`KEY_${agent.toUpperCase()}`, keyOf(agent)])),
};

export interface History {
  readonly sql: string;
  /** Runs `outrider ARGS` against its collector. */
  outrider(...args: string[]): Promise<string>;
  readonly provider: Provider;
  /** Call ids by a name of their own, for questions about one call. */
  readonly calls: Readonly<Record<string, string>>;
  /** ISO 8601: a minute before all of it; between its halves; after it. */
  readonly began: string;
  readonly middle: string;
  readonly ended: string;
  stop(): Promise<void>;
}

interface Asked {
  readonly agent: AgentName;
  readonly path: string;
  readonly method?: string;
  readonly body?: object;
  readonly task?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const chat = (model: string, text = 'hi') => ({
  path: '/openai/v1/chat/completions',
  body: { model, max_tokens: 50, messages: [{ role: 'user', content: text }] },
});
const haiku = {
  path: '/anthropic/v1/messages',
  body: { model: 'claude-haiku-4-5', max_tokens: 50, messages: [{ role: 'user', content: 'again' }] },
};

export async function makeHistory(): Promise<History> {
  let behave: (request: ReceivedRequest) => Behaviour | undefined = () => undefined;
  const provider = await startProvider({ behave: (request) => behave(request) });
  const directory = temporaryDirectory('history');
  const config = writeConfig(directory, YAML.replaceAll('{provider}', provider.url));
  const data = join(directory, 'data');
  const collector = await startOutrider(['collector', '--config', config, '--data', data], {
    ready: 1,
    env: ENVIRONMENT,
  });
  const { control, sql, otlp } = collector.listen.collector as { control: string; sql: string; otlp: string };
  const startSidecar = (...agent: string[]): Promise<Started> =>
    startOutrider(['sidecar', '--config', config, '--data', data, '--collector', control, ...agent], {
      ready: 1,
      env: ENVIRONMENT,
    });
  const outrider = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runOutrider([...args, '--collector', control, '--data', data], {
      env: ENVIRONMENT,
    });
    if (code !== 0) throw new Error(`outrider ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  let sidecar = await startSidecar();
  const calls: Record<string, string> = {};

  async function ask(name: string, { agent, path, method, body, task, headers }: Asked): Promise<number> {
    const answer = await fetch(sidecar.listen.sidecar!.proxy + path, {
      method: method ?? (body ? 'POST' : 'GET'),
      headers: {
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        'x-outrider-token': keyOf(agent),
        ...(task ? { 'x-outrider-task': task } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    await answer.arrayBuffer();
    calls[name] = answer.headers.get('x-outrider-call')!;
    return answer.status;
  }
  async function end(agent: AgentName, task: string, state: string, units?: number): Promise<void> {
    const answer = await fetch(`${sidecar.listen.sidecar!.admin}/v1/tasks/${task}`, {
      method: 'POST',
      body: JSON.stringify({ agent, state, ...(units === undefined ? {} : { output_units: units }) }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }

  const began = new Date(Date.now() - 60_000).toISOString();
  await ask('plan', { agent: 'planner', ...chat('gpt-5-mini', 'plan an article'), task: 'brief-1' });
  await ask('search', { agent: 'planner', path: '/search/items/1', task: 'brief-1' });
  await handOver();
  await end('planner', 'brief-1', 'done', 1);
  await end('writer', 'article-1', 'done', 2);

  await ask('asked', { agent: 'planner', ...chat('gpt-5-pro') });
  await ask('denied', { agent: 'planner', ...chat('gpt-5-nano') });
  await ask('unlisted', { agent: 'writer', ...chat('gpt-5') });
  await ask('prohibited', { agent: 'planner', path: '/search/items/1', method: 'DELETE' });
  await ask('poor', { agent: 'poor', ...haiku });
  await ask('observed', { agent: 'shadow', ...chat('gpt-5') });

  await ask('plan-2', { agent: 'planner', ...chat('gpt-5-mini', 'plan one more'), task: 'brief-2' });
  behave = () => ({ status: 500 });
  await ask('broken', { agent: 'planner', path: '/cms/pages/1', task: 'brief-2' });
  behave = () => ({ hang: true });
  await ask('slow', { agent: 'planner', path: '/cms/pages/2', task: 'brief-2' });
  behave = () => undefined;
  await end('planner', 'brief-2', 'failed');

  const middle = new Date().toISOString();
  for (let i = 0; i < 12; i++) await ask('again', { agent: 'looper', ...haiku, task: 'loop-1' });
  await ask('dear', { agent: 'planner', ...chat('gpt-5', 'plan another article'), task: 'brief-3' });
  await outrider('mode', 'observe', '--agent', 'writer', '--for', '1h', '--reason', 'a new model');
  await until(
    () => ask('let', { agent: 'writer', ...chat('gpt-5') }),
    (status) => status === 200,
  );
  await outrider('mode', 'restore', '--agent', 'writer');
  await outrider('quarantine', 'agent/shadow', '--reason', 'read what it must not');
  await until(
    () => ask('held', { agent: 'shadow', ...chat('gpt-5-mini') }),
    (status) => status === 403,
  );
  await outrider('quarantine', 'lift', 'agent/shadow');
  await crash();
  await abandonSlice();
  const ended = new Date().toISOString();

  async function handOver(): Promise<void> {
    const [plan] = await found<{ trace_id: string; span_id: string }>(
      `SELECT trace_id, span_id FROM actions WHERE call_id = '${calls.plan}'`,
    );
    const baggage = 'outrider.caller=planner,outrider.grantor=ana@example.com,outrider.depth=1';
    const headers = { baggage, traceparent: `00-${plan!.trace_id}-${plan!.span_id}-01` };
    const work = { agent: 'writer', task: 'article-1', headers } as const;
    const toolCalls = ['publish', 'announce'].map((name) => ({
      name,
      id: `call-${name}`,
      arguments: '{"id":7}',
    }));
    behave = () => ({ toolCalls });
    await ask('write', { ...work, ...chat('gpt-5-mini', 'write it') });
    behave = () => undefined;
    await tellOfRun(plan!.trace_id, { 'gen_ai.tool.name': 'publish', 'gen_ai.tool.call.id': 'call-publish' });
    await ask('publish', { ...work, path: '/cms/pages/7', method: 'PUT', body: {} });
  }

  /** The agent's own span around a tool that it ran. */
  async function tellOfRun(traceId: string, said: Readonly<Record<string, string>>): Promise<void> {
    const attributes = Object.entries({ 'gen_ai.operation.name': 'execute_tool', ...said });
    const now = `${Date.now()}000000`;
    const span = {
      traceId,
      spanId: 'abcdefabcdefabcd',
      name: 'execute_tool',
      startTimeUnixNano: now,
      endTimeUnixNano: now,
      attributes: attributes.map(([key, stringValue]) => ({ key, value: { stringValue } })),
      status: { code: 1 },
    };
    const answer = await fetch(`${otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        resourceSpans: [{ scopeSpans: [{ scope: { name: 'writer' }, spans: [span] }] }],
      }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** The sidecar dies while a call is out: nobody knows how it ended. */
  async function crash(): Promise<void> {
    const asked = Promise.withResolvers<void>();
    behave = () => {
      asked.resolve();
      return { hang: true };
    };
    const cut = ask('lost', {
      agent: 'planner',
      ...chat('gpt-5-mini', 'lost'),
      task: 'brief-3',
    }).catch(() => 0);
    await asked.promise;
    await sidecar.kill('SIGKILL');
    await cut;
    behave = () => undefined;
    sidecar = await startSidecar();
    await ask('after', { agent: 'planner', path: '/search/items/2', task: 'brief-3' });
  }

  /** An instance that never comes back leaves a slice behind; once expired it is written off. */
  async function abandonSlice(): Promise<void> {
    const other = await startSidecar('--agent', 'planner/other');
    const answer = await fetch(`${other.listen.sidecar!.proxy}/search/items/9`);
    await answer.arrayBuffer();
    await found(`SELECT 1 FROM actions WHERE agent_instance = 'other'`);
    await other.kill('SIGKILL');
    await until(
      async () => {
        const { stdout } = await runOutrider(
          ['budgets', 'write-off', '--reason', 'gone', '--json', '--collector', control, '--data', data],
          { env: ENVIRONMENT },
        );
        return (JSON.parse(stdout) as { written_off: unknown[] }).written_off.length;
      },
      (written) => written > 0,
    );
  }

  function found<Row>(query: string): Promise<Row[]> {
    return until(
      () => rows<Row>(sql, query),
      (answer) => answer.length > 0,
    );
  }

  return {
    sql,
    outrider,
    provider,
    calls,
    began,
    middle,
    ended,
    async stop() {
      await sidecar.kill('SIGTERM');
      await collector.kill('SIGTERM');
      await provider.close();
    },
  };
}
