// Who is calling, in which task, on whose behalf; and a fleet that only watches.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Provider, startProvider } from '../../examples/provider/provider.ts';
import { type CallRows, openCallRows } from '../support/call-rows.ts';
import {
  order,
  rows,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { REAL_KEY, SAMPLE } from './fleet.ts';

const KEYS = {
  SCOUT_KEY: 'okey-scout-1234567890',
  PR_KEY: 'okey-pr-1234567890',
  PR_NEXT_KEY: 'okey-pr-the-next-12345',
};
/** The real key of agents named pr-*. */
const PR_REAL_KEY = 'sk-real-of-pr-5d1e7a90c3';

let provider: Provider;
let hang = false;
let config: string;
let data: string;
let collector: Started;
let sidecar: Started;
let rowsOf: CallRows<Record<string, string>>;

beforeAll(async () => {
  provider = await startProvider({ behave: () => (hang ? { hang } : undefined) });
  const directory = temporaryDirectory('identity');
  const yaml = SAMPLE.replaceAll('{provider}', provider.url)
    .replace(
      'agents:\n',
      'agents:\n  pr-*: { role: researcher, key: env:PR_KEY, mode: observe, credentials: { openai: of-pr } }\n',
    )
    .replace('scout: { role: researcher,', 'scout: { role: researcher, key: env:SCOUT_KEY,')
    .replace('credentials:\n', 'credentials:\n  of-pr: { from: env:PR_REAL_KEY }\n')
    .replace('roles:\n', 'prohibited: [llm anthropic/claude-opus-*]\nroles:\n');
  const env = { REAL_KEY, PR_REAL_KEY, OUTRIDER_TOKEN: '', ...KEYS };
  data = join(directory, 'data');
  config = writeConfig(directory, yaml);
  collector = await startOutrider(['collector', '--config', config, '--data', data], { ready: 1, env });
  const { control, sql } = collector.listen.collector!;
  rowsOf = openCallRows((statement) => rows(sql!, statement));
  const args = ['sidecar', '--config', config, '--data', data, '--collector', control!];
  sidecar = await startOutrider(args, { ready: 1, env });
});
afterAll(async () => {
  await sidecar.kill('SIGTERM');
  await collector.kill('SIGTERM');
  await provider.close();
});

const chat = (headers: Record<string, string>, model = 'gpt-5-mini'): Promise<Response> =>
  fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, max_completion_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
  });

async function rowOf(response: Response): Promise<Record<string, string>> {
  const [row] = await rowsOf([response.headers.get('x-outrider-call') ?? '']);
  return row!;
}

describe('an agent key', () => {
  it('in a proxy url, with the name that a pattern leaves open', async () => {
    const pair = Buffer.from(`pr-7:${KEYS.PR_KEY}`).toString('base64');
    const response = await chat({ 'proxy-authorization': `Basic ${pair}` });
    expect(await rowOf(response)).toMatchObject({ agent_id: 'pr-7' });
    expect(provider.requests.at(-1)!.headers).not.toHaveProperty('proxy-authorization');
  });

  it.concurrent.each([
    'authorization',
    'x-api-key',
    'proxy-authorization',
    'x-outrider-token',
    'api-key',
    'x-goog-api-key',
  ])('in %s says who is calling', async (header) => {
    const value = header.endsWith('authorization') ? `Bearer ${KEYS.SCOUT_KEY}` : KEYS.SCOUT_KEY;
    const response = await chat({ [header]: value });
    expect(response.status).toBe(200);
    expect(await rowOf(response)).toMatchObject({
      agent_id: 'scout',
      department: 'lab',
      agent_version: '1.0.0',
    });
  });

  it.concurrent('that nobody knows is refused, and so is none', async () => {
    for (const headers of [{}, { authorization: 'Bearer nonsense' }]) {
      const response = await chat(headers as Record<string, string>);
      expect(response.status).toBe(401);
      expect(response.headers.get('x-outrider-refusal')).toBe('unknown_agent');
    }
  });

  it.concurrent('of a pattern names one of its agents, and no other', async () => {
    const named = await chat({ 'x-api-key': KEYS.PR_KEY, 'x-outrider-agent': 'pr-7' });
    expect(await rowOf(named)).toMatchObject({ agent_id: 'pr-7', mode: 'observe' });
    expect((await chat({ 'x-api-key': KEYS.PR_KEY, 'x-outrider-agent': 'scout' })).status).toBe(401);
    expect(
      (await chat({ 'x-api-key': KEYS.SCOUT_KEY, 'x-outrider-agent': 'pr-7' })).headers.get(
        'x-outrider-call',
      ),
    ).toBeTruthy();
  });
});

it('CRED-13: two agents at one host, call by call on kept connections, each by its own credential', async () => {
  const owners = [
    { token: KEYS.SCOUT_KEY, name: 'scout', real: REAL_KEY },
    { token: KEYS.PR_KEY, name: 'pr-1', real: PR_REAL_KEY },
  ];
  const before = provider.requests.length;
  for (let round = 0; round < 25; round++) {
    const answers = Array.from({ length: 40 }, (_, at) => {
      const { token, name } = owners[at % 2]!;
      return chat({ 'x-outrider-token': token, 'x-outrider-agent': name, 'x-owner': name });
    });
    for (const answer of await Promise.all(answers)) await answer.arrayBuffer();
  }
  const received = provider.requests.slice(before);
  expect(received).toHaveLength(1_000);
  for (const { headers } of received) {
    const { real } = owners.find(({ name }) => name === headers['x-owner'])!;
    if (headers.authorization !== `Bearer ${real}`) expect.fail(`${headers['x-owner']} by another's`);
  }
});

describe('an agent that is only observed', () => {
  const observed = { 'x-api-key': KEYS.PR_KEY, 'x-outrider-agent': 'pr-1' };

  it.concurrent('is not refused what its rules deny, but the record says so', async () => {
    const response = await chat(observed, 'gpt-4.1');
    expect(response.status).toBe(200);
    expect(await rowOf(response)).toMatchObject({
      verdict: 'allow',
      would_verdict: 'deny',
      status: 'success',
      mode: 'observe',
    });
  });

  it.concurrent('is not refused what cannot be judged or priced; it passes unmetered', async () => {
    const unknown = await fetch(`${sidecar.listen.sidecar!.proxy}/openai/v1/fine_tuning/jobs`, {
      headers: observed,
    });
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get('x-outrider-refusal')).toBeNull();
    const unpriced = await chat(observed, 'a-model-nobody-prices');
    expect(unpriced.status).toBe(200);
    expect(await rowOf(unknown)).toMatchObject({ would_verdict: 'deny', http_status: 404, cost_usd: null });
    expect((await rowOf(unpriced)).cost_usd).toBeNull();
  });

  it.concurrent('is refused what is prohibited all the same', async () => {
    const response = await fetch(`${sidecar.listen.sidecar!.proxy}/anthropic/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...observed },
      body: JSON.stringify({
        model: 'claude-opus-4-1',
        max_tokens: 10,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    });
    expect(response.headers.get('x-outrider-refusal')).toBe('prohibited');
    expect(await rowOf(response)).toMatchObject({ status: 'refused', verdict: 'prohibited' });
  });
});

describe('a call’s lineage', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

  it('is read from headers and baggage; upstream the parent is our own span', async () => {
    const response = await chat({
      'x-api-key': KEYS.SCOUT_KEY,
      'x-outrider-task': 'task-42',
      traceparent: `00-${TRACE}-00f067aa0ba902b7-00`,
      baggage: 'outrider.caller=editor,outrider.grantor=ada,outrider.depth=2,colour=blue',
    });
    const row = await rowOf(response);
    expect(row).toMatchObject({
      task_id: 'task-42',
      trace_id: TRACE,
      caller_agent: 'editor',
      grantor: 'ada',
    });
    const { headers } = provider.requests.at(-1)!;
    expect(headers.traceparent).toBe(`00-${TRACE}-${row.span_id}-01`);
    expect(headers.baggage).toBe('colour=blue');
    expect(headers['x-outrider-task']).toBeUndefined();
  });

  it('without any name is one task until the agent idles', async () => {
    const [a, b] = [await chat({ 'x-api-key': KEYS.SCOUT_KEY }), await chat({ 'x-api-key': KEYS.SCOUT_KEY })];
    const [first, second] = [await rowOf(a), await rowOf(b)];
    expect(first.task_id).toMatch(/^task-/);
    expect(second.task_id).toBe(first.task_id);
    expect(second.trace_id).not.toBe(first.trace_id);
  });
});

it('a key that is changed ends what runs under the old one, and no one else’s call', async () => {
  hang = true;
  const before = provider.requests.length;
  const running = { 'x-api-key': KEYS.PR_KEY, 'x-outrider-agent': 'pr-1' };
  const revoked = chat(running);
  let otherEnded = false;
  const other = chat({ 'x-api-key': KEYS.SCOUT_KEY }).then(() => {
    otherEnded = true;
  });
  await until(
    async () => provider.requests.length - before,
    (count) => count === 2,
  );
  writeFileSync(config, readFileSync(config, 'utf8').replace('key: env:PR_KEY', 'key: env:PR_NEXT_KEY'));
  sidecar.child.kill('SIGHUP');
  const answer = await revoked;
  expect([answer.status, answer.headers.get('x-outrider-refusal')]).toEqual([401, 'unknown_agent']);
  expect(await answer.text()).toContain('The key of pr-1 was revoked.');
  expect(otherEnded).toBe(false);
  const upstream = provider.requests.slice(before).map(({ ended }) => ended);
  expect(await Promise.race(upstream)).toBe(false); // given up there
  hang = false;
  expect((await chat(running)).status).toBe(401);
  expect((await chat({ ...running, 'x-api-key': KEYS.PR_NEXT_KEY })).status).toBe(200);
  expect(otherEnded).toBe(false);
  await order(collector.listen.collector!.control!, data, '/v1/quarantine', {
    subject: 'agent/scout',
    reason: 'its call never ends',
    for_ms: null,
  });
  await other;
});
