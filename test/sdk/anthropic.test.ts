// Anthropic's own SDK, unmodified, by every way: a message, a stream, a tool call, a refusal, a batch.

import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../end-to-end/fleet.ts';
import { anthropicAnswer } from './anthropic-wire.ts';
import { AGENT_KEY, REAL_KEY, type Setting, startSetting, WAYS } from './setting.ts';

const CONFIG = `fleet: sdk
mode: enforce
budgets: [$1000/month]
upstreams:
  anthropic: { url: "{plain}/anthropic", speaks: anthropic, credential: real }
  anthropic-tls: { url: "{tls}/anthropic-tls", speaks: anthropic, credential: real }
credentials: { real: { from: env:REAL_KEY } }
roles: { r: { allow: [llm anthropic*/claude-haiku-4-5] } }
agents: { scout: { role: r } }
prices:
  anthropic/claude-haiku-4-5: { input: 1, cached_input: 0.1, cache_write: 1.25, output: 5 }
  anthropic-tls/claude-haiku-4-5: { input: 1, cached_input: 0.1, cache_write: 1.25, output: 5 }
`;

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting(CONFIG);
  setting.double.answer(anthropicAnswer);
});
afterAll(() => setting.stop());

const ASK = {
  model: 'claude-haiku-4-5',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'hi' }],
};
const TOOL = { name: 'weather', input_schema: { type: 'object' as const } };

describe.each(WAYS)('%s', (name) => {
  let client: Anthropic;
  beforeAll(async () => {
    const way = await setting.way(name, name === 'intercepted' ? 'anthropic-tls' : 'anthropic');
    client = new Anthropic({ baseURL: way.baseUrl, apiKey: AGENT_KEY, maxRetries: 0, fetch: way.fetch });
  });
  const recorded: { readonly head: Response; readonly row: Partial<Record<keyof Action, unknown>> }[] = [];
  const record = (head: Response, row: Partial<Record<keyof Action, unknown>>) =>
    recorded.push({ head, row });

  it('answers', async () => {
    const { data, response } = await client.messages.create(ASK).withResponse();
    expect(data.content[0]).toMatchObject({ type: 'text', text: 'hello' });
    expect(setting.double.received.at(-1)!.headers['x-api-key']).toBe(REAL_KEY);
    // 100 × $1 + 10 × $5 per million
    record(response, { status: 'success', usage_source: 'reported', cost_usd: 0.00015 });
  });

  it('streams', async () => {
    const { data, response } = await client.messages.create({ ...ASK, stream: true }).withResponse();
    const types: string[] = [];
    for await (const event of data) types.push(event.type);
    expect(types.at(-1)).toBe('message_stop');
    record(response, { usage_source: 'reported', cost_usd: 0.00015 });
  });

  it('is asked for a tool, streamed', async () => {
    const stream = client.messages.stream({ ...ASK, tools: [TOOL] });
    const message = await stream.finalMessage();
    expect(message.content[0]).toMatchObject({ type: 'tool_use', name: 'weather', input: { city: 'Oslo' } });
    record(stream.response!, { usage_source: 'reported' });
  });

  it('throws a refusal as its own error', async () => {
    const refused = client.messages.create({ ...ASK, model: 'claude-opus-4-8' });
    await expect(refused).rejects.toThrow(Anthropic.BadRequestError);
    await expect(refused).rejects.toThrow('"code":"out_of_scope"');
    const before = setting.double.received.length;
    const hosted = { type: 'web_search_20250305' as const, name: 'web_search' as const, max_uses: 1 };
    await expect(client.messages.create({ ...ASK, tools: [hosted] })).rejects.toThrow('hosted anthropic');
    await expect(client.beta.files.list()).rejects.toThrow('a stored file becomes input of later calls');
    expect(setting.double.received.length).toBe(before);
  });

  it('pays for a batch when it is submitted, and never again', async () => {
    const requests = ['a', 'b'].map((custom_id) => ({ custom_id, params: ASK }));
    const { data, response } = await client.messages.batches.create({ requests }).withResponse();
    expect(data.id).toBe('msgbatch_1');
    // Each of two: 90 bytes but 24 of JSON, 8 and 64 at $2, the rate of an hour's cache; 1,000 × $5 for the output.
    record(response, { status: 'success', usage_source: 'estimated', cost_usd: 0.010552 });
    record(await client.messages.batches.retrieve('msgbatch_1').asResponse(), {
      cost_usd: 0,
      usage_source: 'none',
    });
    record(await client.messages.batches.cancel('msgbatch_1').asResponse().catch(answered), { cost_usd: 0 });
    const dearer = { custom_id: 'c', params: { ...ASK, model: 'claude-opus-4-8' } };
    await expect(client.messages.batches.create({ requests: [...requests, dearer] })).rejects.toThrow(
      '"code":"out_of_scope"',
    );
  });

  it('has recorded all of it exactly', async () => {
    const rows = await setting.rowsOf(recorded.map(({ head }) => head));
    for (const [index, row] of rows.entries())
      expect({ ...row, cost_usd: Number(row.cost_usd) }).toMatchObject(recorded[index]!.row);
  });
});

/** The head of an answer that the SDK throws for its status. */
function answered(failure: unknown): Response {
  if (failure instanceof Anthropic.APIError) return new Response(null, { headers: failure.headers });
  throw failure;
}
