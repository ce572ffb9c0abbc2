// One sidecar for many agents, told apart by key and name: each spends, and all hear of a new mode. What an agent keeps
// open towards the collector must not stand in the way of the others.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Provider, startProvider } from '../../examples/provider/provider.ts';
import {
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { REAL_KEY, SAMPLE } from './fleet.ts';

const AGENTS = Array.from({ length: 12 }, (_, i) => `pr-${i + 1}`);
const ENVIRONMENT = { REAL_KEY, PR_KEY: 'key-of-every-pr-agent', OUTRIDER_TOKEN: '' };

let provider: Provider;
let collector: Started;
let sidecar: Started;
let data = '';
beforeAll(async () => {
  provider = await startProvider();
  const directory = temporaryDirectory('many');
  data = join(directory, 'data');
  const yaml = SAMPLE.replace('agents:', 'agents:\n  pr-*: { role: researcher, key: env:PR_KEY }');
  const config = writeConfig(directory, yaml.replaceAll('{provider}', provider.url));
  const start = (...args: string[]) =>
    startOutrider([...args, '--config', config, '--data', data], { ready: 1, env: ENVIRONMENT });
  collector = await start('collector');
  sidecar = await start('sidecar', '--collector', collector.listen.collector!.control!);
});
afterAll(async () => {
  await sidecar.kill('SIGTERM');
  await collector.kill('SIGTERM');
  await provider.close();
});

async function call(agent: string, model: string): Promise<number> {
  const answer = await fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-outrider-token': ENVIRONMENT.PR_KEY,
      'x-outrider-agent': agent,
    },
    body: JSON.stringify({ model, max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

test('each agent has a lease of its own, one after the other', async () => {
  const statuses: number[] = [];
  for (const agent of AGENTS) statuses.push(await call(agent, 'gpt-5-mini'));
  expect(statuses).toEqual(AGENTS.map(() => 200));
});

test('a mode for all of them reaches all of them', async () => {
  const refused = await Promise.all(AGENTS.map((agent) => call(agent, 'gpt-5.4')));
  expect(refused).toEqual(AGENTS.map(() => 403));
  const order = ['observe', '--agent', 'pr-*', '--for', '1h', '--reason', 'a new model'];
  const place = ['--collector', collector.listen.collector!.control!, '--data', data];
  expect(await runOutrider(['mode', ...order, ...place], { env: ENVIRONMENT })).toMatchObject({ code: 0 });
  const passed = await until(
    () => Promise.all(AGENTS.map((agent) => call(agent, 'gpt-5.4'))),
    (statuses) => statuses.every((status) => status === 200),
  );
  expect(passed).toHaveLength(AGENTS.length);
});
