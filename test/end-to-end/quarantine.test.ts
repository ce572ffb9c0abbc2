// `outrider quarantine` on a running fleet: new calls are refused, running ones end as their clients understand it and pay
// for what they had, and neither a restart nor an absent collector lets anybody go.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { QuarantineLine } from '../../contract/quarantine.ts';
import { order, runOutrider, startOutrider, until } from '../support/processes.ts';
import { AGENT_KEY, type Fleet, REAL_KEY, SAMPLE, startFleet } from './fleet.ts';
import { quarantineRound } from './quarantine-round.ts';

let fleet: Fleet;
/** A tool server whose answers never come to their end. */
const tools = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(': on its way\n\n');
});
beforeAll(async () => {
  await new Promise<void>((resolve) => tools.listen(0, '127.0.0.1', resolve));
  const { port } = tools.address() as AddressInfo;
  const watched = '  watched: { mode: observe, allow: [llm openai/gpt-5-mini] }\nagents:';
  fleet = await startFleet(
    SAMPLE.replace('  search:', `  tools: { url: "http://127.0.0.1:${port}/mcp", speaks: mcp }\n  search:`)
      .replace('      - llm openai/gpt-5-mini\n', '      - llm openai/gpt-5-mini\n      - mcp tools/*\n')
      .replace('agents:', watched)
      .replace('prices:', '  other: { role: watched }\nprices:'),
  );
});
afterAll(async () => {
  tools.closeAllConnections();
  tools.close();
  expect(await fleet.stop()).toBe(0);
});
afterEach(() => fleet.behave(() => undefined));

const command = (...args: string[]) =>
  runOutrider(['quarantine', ...args, '--collector', fleet.control, '--data', fleet.directory], {
    env: { OUTRIDER_TOKEN: '' },
  });
const set = (subject: string, for_ms: number | null = null) =>
  order(fleet.control, fleet.directory, '/v1/quarantine', { subject, reason: 'posts rubbish', for_ms });
const lift = (subject: string) => order(fleet.control, fleet.directory, '/v1/quarantine/lift', { subject });

interface Said {
  readonly status: number;
  readonly id: string;
  readonly refusal: string | null;
  readonly text: string;
}

async function call(model = 'gpt-5-mini', task = 't-1', proxy = fleet.proxy): Promise<Said> {
  const answer = await fetch(`${proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-outrider-task': task },
    body: JSON.stringify({ model, max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
  });
  const { headers, status } = answer;
  return {
    status,
    id: headers.get('x-outrider-call')!,
    refusal: headers.get('x-outrider-refusal'),
    text: await answer.text(),
  };
}
const comes = (status: number) => until(call, (answer) => answer.status === status);

const openai = () => new OpenAI({ baseURL: `${fleet.proxy}/openai/v1`, apiKey: AGENT_KEY, maxRetries: 0 });
const anthropic = () =>
  new Anthropic({ baseURL: `${fleet.proxy}/anthropic`, apiKey: AGENT_KEY, maxRetries: 0 });
const MESSAGES = [{ role: 'user' as const, content: 'Write on and on.' }];

describe('an agent in quarantine', () => {
  test('is refused with who, why, until when and how it ends; others and the list say so; lifted it goes on', async () => {
    expect((await call()).status).toBe(200);
    const done = await command('agent/scout', '--reason', 'posts rubbish', '--for', '1h');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toMatch(/^agent\/scout is in quarantine until \S+Z\.\n$/);
    const refused = await comes(403);
    expect(refused.refusal).toBe('agent_quarantined');
    expect(refused.text).toMatch(/agent\/scout is in quarantine until \S+Z, by \S+: posts rubbish\./);
    expect(refused.text).toContain('outrider quarantine lift agent/scout');
    expect((await command()).stdout).toMatch(/^agent\/scout +\S+Z +\S+Z +\S+ +posts rubbish$/m);
    const listed = JSON.parse((await command('--json')).stdout) as QuarantineLine[];
    expect(listed).toMatchObject([{ subject: 'agent/scout', kind: 'agent', by: 'person' }]);

    const models = await fetch(`${fleet.proxy}/openai/v1/models`);
    expect(models.status).toBe(403); // what is free is refused as well

    expect(await command('lift', 'agent/scout')).toMatchObject({
      code: 0,
      stdout: 'agent/scout is out of quarantine.\n',
    });
    expect((await comes(200)).refusal).toBe(null);
    expect((await command()).stdout).toBe('Nothing is in quarantine.\n');

    const [row] = await fleet.actions([refused.id]);
    expect(row).toMatchObject({ status: 'refused', refusal: 'agent_quarantined', verdict: 'allow' });
    expect(row!.target).toBe('openai/gpt-5-mini');
    const events = await until(
      () =>
        fleet.query(
          `SELECT event, agent_id, reason FROM control_events WHERE event LIKE 'quarantine_%' ORDER BY id`,
        ),
      ({ length }) => length === 2,
    );
    expect(events).toEqual([
      { event: 'quarantine_set', agent_id: 'scout', reason: 'posts rubbish' },
      { event: 'quarantine_lifted', agent_id: 'scout', reason: 'lifted by hand' },
    ]);
  });

  test('ends by itself', async () => {
    await set('agent/scout', 3_000);
    await comes(403);
    await comes(200);
  });

  test('stays so over a restart of everything, and without a collector', { timeout: 120_000 }, async () => {
    await set('agent/scout');
    await comes(403);
    await fleet.restart();
    expect((await call()).status).toBe(403);
    const alone = await startOutrider(
      ['sidecar', '--config', fleet.config, '--data', join(fleet.directory), '--agent', 'scout/elsewhere'],
      { ready: 1, env: { REAL_KEY, OUTRIDER_TOKEN: '', OUTRIDER_COLLECTOR: fleet.control } },
    );
    expect((await call('gpt-5-mini', 't-1', alone.listen.sidecar!.proxy)).status).toBe(403);
    await alone.kill('SIGKILL');
    const orphan = await startOutrider(
      ['sidecar', '--config', fleet.config, '--data', fleet.directory, '--agent', 'scout/elsewhere'],
      { ready: 1, env: { REAL_KEY, OUTRIDER_TOKEN: '', OUTRIDER_COLLECTOR: 'http://127.0.0.1:9' } },
    );
    const refused = await call('gpt-5-mini', 't-1', orphan.listen.sidecar!.proxy);
    expect([refused.status, refused.refusal]).toEqual([403, 'agent_quarantined']);
    await orphan.kill('SIGTERM');
    await lift('agent/scout');
    await comes(200);
  });
});

test('a model or a task in quarantine holds nothing else', async () => {
  await set('model/openai/gpt-5-mini');
  await comes(403);
  const embedded = await openai().embeddings.create({ model: 'text-embedding-3-small', input: 'hi' });
  expect(embedded.data).toHaveLength(1);
  await lift('model/openai/gpt-5-mini');
  await set('task/scout/t-2');
  await until(
    () => call('gpt-5-mini', 't-2'),
    ({ status }) => status === 403,
  );
  expect((await call('gpt-5-mini', 't-1')).status).toBe(200);
  await lift('task/scout/t-2');
});

describe('a call under way', () => {
  const WORDS = Array.from({ length: 200 }, (_, at) => `word${at}`).join(' ');

  test('that streams ends as its client understands it, and pays for what it had', async () => {
    fleet.behave(() => ({ text: WORDS, betweenEventsMs: 100 }));
    const chat = await openai()
      .chat.completions.create({
        model: 'gpt-5-mini',
        messages: MESSAGES,
        max_completion_tokens: 500,
        stream: true,
      })
      .withResponse();
    const message = anthropic().messages.stream({
      model: 'claude-haiku-4-5',
      messages: MESSAGES,
      max_tokens: 500,
    });
    const chunks = chat.data[Symbol.asyncIterator]();
    await chunks.next();
    await message.emitted('text');
    await set('agent/scout');
    let last: OpenAI.ChatCompletionChunk | undefined;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) last = next.value;
    expect(last?.choices[0]?.finish_reason).toBe('length');
    expect((await message.finalMessage()).stop_reason).toBe('max_tokens');
    for (const request of fleet.provider.requests.slice(-2)) expect(await request.ended).toBe(false);

    const calls = [chat.response.headers.get('x-outrider-call')!];
    const [row] = await fleet.actions(calls);
    expect(row).toMatchObject({
      status: 'success',
      refusal: 'agent_quarantined',
      http_status: 200,
      usage_source: 'estimated',
    });
    expect(Number(row!.cost_usd)).toBeGreaterThan(0);
    await lift('agent/scout');
    await comes(200);
  });

  test('that was not answered is refused, its upstream call is given up, and it pays as if hung up', async () => {
    fleet.behave(() => ({ hang: true }));
    const waiting = call();
    await until(
      async () => fleet.provider.requests.at(-1),
      (request) => request !== undefined,
    );
    await until(
      () => fetch(`${fleet.admin}/metrics`).then((answer) => answer.text()),
      (text) => /outrider_calls_in_flight 1/.test(text),
    );
    await set('upstream/openai');
    const refused = await waiting;
    expect([refused.status, refused.refusal]).toEqual([403, 'agent_quarantined']);
    expect(await fleet.provider.requests.at(-1)!.ended).toBe(false);
    const [row] = await fleet.actions([refused.id]);
    expect(row).toMatchObject({ status: 'refused', refusal: 'agent_quarantined', usage_source: 'estimated' });
    expect(Number(row!.cost_usd)).toBeGreaterThan(0);
    fleet.behave(() => undefined);
    await lift('upstream/openai');
    await comes(200);
  });
});

test('who is only observed is refused as well, by a sidecar that may speak for it alone', async () => {
  const operator = readFileSync(join(fleet.directory, 'token'), 'utf8').trim();
  const made = await fetch(`${fleet.control}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}` },
    body: JSON.stringify({ name: 'edge', kind: 'sidecar', claims: { agent: ['other'] } }),
  });
  const { token } = (await made.json()) as { token: string };
  const watched = await startOutrider(
    ['sidecar', '--config', fleet.config, '--data', fleet.directory, '--agent', 'other/1'],
    { ready: 1, env: { REAL_KEY, OUTRIDER_TOKEN: token, OUTRIDER_COLLECTOR: fleet.control } },
  );
  const proxy = watched.listen.sidecar!.proxy!;
  const passed = await call('gpt-5', 't', proxy);
  expect(passed.status).toBe(200);
  expect(await fleet.actions([passed.id])).toMatchObject([{ agent_id: 'other' }]);
  await set('fleet');
  await until(
    () => call('gpt-5', 't', proxy),
    ({ refusal }) => refusal === 'agent_quarantined',
  );
  await lift('fleet');
  await watched.kill('SIGTERM');
});

test('a name that nobody has heard of is held all the same, and said to be unknown', async () => {
  const done = await command('agent/scuot', '--reason', 'why');
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('agent/scuot is in quarantine') });
  expect(done.stderr).toContain('has not heard of agent/scuot');
  await lift('agent/scuot');
});

test('a tool call whose answer streams gets the refusal as its answer', async () => {
  const answer = await fetch(`${fleet.proxy}/tools`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'wait', arguments: {} },
    }),
  });
  expect(answer.status).toBe(200);
  await set('tool/tools/wait');
  const [, event] = /data: (.*)\n\n$/.exec(await answer.text())!;
  expect(JSON.parse(event!)).toMatchObject({ id: 7, result: { isError: true } });
  expect(event).toContain('tool/tools/wait is in quarantine');
  await lift('tool/tools/wait');
});

test('among sidecars at work nothing of the agent reaches the origin two seconds later, and nobody else notices', {
  timeout: 120_000,
}, async () => {
  const round = await quarantineRound({
    sidecars: 2,
    agents: 4,
    callsPerSecond: 40,
    beforeMs: 1_500,
    afterMs: 4_000,
  });
  expect(round).toMatchObject({ arrivedLate: 0, othersUnderWay: 2 });
  expect(round.lastEndMs).toBeLessThan(2_000);
  expect(Object.keys(round.later)).toEqual(['403 agent_quarantined']);
  expect(Object.keys(round.others)).toEqual(['200']);
});
