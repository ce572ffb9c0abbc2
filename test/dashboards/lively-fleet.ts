// A small fleet that does a little of everything, so that every panel has something to show: calls that succeed, stream,
// fail, are throttled and are refused; agents that call each other; one that is only observed; tasks that end.

import type { Behaviour, ReceivedRequest } from '../../examples/provider/provider.ts';
import { type Fleet, startFleet } from '../end-to-end/fleet.ts';
import { type Started, startOutrider } from '../support/processes.ts';

const CONFIG = `fleet: test
mode: enforce
budgets: [$1000/month, 50M tokens/day]
departments: { lab: { budgets: [$500/month] }, press: { budgets: [$300/month] } }
upstreams:
  openai: { url: "{provider}/openai", speaks: openai, credential: openai }
  anthropic: { url: "{provider}/anthropic", speaks: anthropic, credential: anthropic }
credentials: { openai: { from: env:REAL_KEY }, anthropic: { from: env:REAL_KEY } }
roles:
  researcher: { allow: [llm openai/gpt-5-mini, llm openai/gpt-5, tool **] }
  writer: { allow: [llm anthropic/claude-haiku-4-5*] }
  watched: { mode: observe, allow: [llm openai/gpt-5-mini] }
agents:
  scout: { role: researcher, department: lab, budgets: [$100/month], task_budgets: [$50] }
  scribe: { role: watched, department: press, budgets: [$100/month] }
  writer-*: { role: writer, department: press, budgets: [$100/month] }
audit: { anchors: [{ command: [cat], every: 1s }] }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  broken: { status: 500, errorType: 'server_error' },
  busy: { status: 429, errorType: 'rate_limit_error' },
  tool: { toolCalls: [{ name: 'look_up', arguments: '{"word":"outrider"}' }] },
  cached: { usage: { input: 4000, cached: 3000, output: 300 } },
};

export interface LivelyFleet {
  readonly fleet: Fleet;
  /** `/metrics` of everything, by job. */
  readonly jobs: Readonly<Record<string, readonly string[]>>;
  /** One round of everything. */
  act(): Promise<void>;
  stop(): Promise<void>;
}

export async function startLivelyFleet(): Promise<LivelyFleet> {
  const fleet = await startFleet(CONFIG);
  fleet.behave((request: ReceivedRequest) => BEHAVIOURS[String(request.headers['x-practice'] ?? '')]);
  const { collector, sidecar } = fleet.process().listen;
  const sidecars = await Promise.all(
    ['scribe', 'writer-1'].map((agent) =>
      startOutrider(
        [
          'sidecar',
          '--config',
          fleet.config,
          '--data',
          fleet.directory,
          '--agent',
          agent,
          '--collector',
          collector!.control!,
        ],
        { ready: 1, env: { REAL_KEY: 'sk-real', OUTRIDER_TOKEN: '' } },
      ),
    ),
  );
  const [scribe, writer] = sidecars as [Started, Started];
  let round = 0;

  async function act(): Promise<void> {
    const task = `task-${++round}`;
    const scout = { proxy: fleet.proxy, task };
    await chat({ ...scout, model: 'gpt-5-mini' });
    await chat({ ...scout, model: 'gpt-5-mini', stream: true });
    for (const practice of Object.keys(BEHAVIOURS)) await chat({ ...scout, model: 'gpt-5', practice });
    await chat({ ...scout, model: 'gpt-5-pro' });
    await chat({ proxy: scribe.listen.sidecar!.proxy!, task, model: 'gpt-5' });
    await message(writer.listen.sidecar!.proxy!, task);
    await endTask(sidecar!.admin!, task, 'scout');
    await endTask(writer.listen.sidecar!.admin!, task, 'writer-1');
    await reportQueueDepth(collector!.otlp!, round);
  }

  return {
    fleet,
    jobs: {
      'outrider-collector': [collector!.control!],
      'outrider-sidecar': [sidecar!.admin!, ...sidecars.map(({ listen }) => listen.sidecar!.admin!)],
    },
    act,
    async stop() {
      for (const each of sidecars) await each.kill('SIGTERM');
      await fleet.stop();
    },
  };
}

interface Chat {
  readonly proxy: string;
  readonly task: string;
  readonly model: string;
  readonly stream?: boolean;
  readonly practice?: string;
}

async function chat({ proxy, task, model, stream = false, practice = '' }: Chat): Promise<void> {
  const answer = await fetch(`${proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-outrider-task': task, 'x-practice': practice },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Say hello.' }] }),
  });
  await answer.text();
}

/** Handed over by scout, on a person's behalf. */
async function message(proxy: string, task: string): Promise<void> {
  const answer = await fetch(`${proxy}/anthropic/v1/messages`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      'x-outrider-task': task,
      baggage: 'outrider.caller=scout,outrider.grantor=anna,outrider.depth=1',
    },
    body: JSON.stringify({
      model: 'claude-haiku-4-5',
      max_tokens: 64,
      messages: [{ role: 'user', content: 'Write.' }],
    }),
  });
  await answer.text();
}

async function endTask(admin: string, task: string, agent: string): Promise<void> {
  await fetch(`${admin}/v1/tasks/${task}`, {
    method: 'POST',
    body: JSON.stringify({ agent, state: 'done', output_units: 2 }),
  });
}

/** As an agent's own OpenTelemetry SDK would. */
async function reportQueueDepth(otlp: string, depth: number): Promise<void> {
  const dataPoints = [{ timeUnixNano: String(BigInt(Date.now()) * 1_000_000n), asInt: String(depth) }];
  const metric = { name: 'outrider.queue.depth', unit: '{item}', gauge: { dataPoints } };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'scout' } }] };
  const body = {
    resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'agent' }, metrics: [metric] }] }],
  };
  const answer = await fetch(`${otlp}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}
