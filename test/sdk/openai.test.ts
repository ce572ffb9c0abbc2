// OpenAI's own SDK, unmodified, by every way: a call, a stream, a tool call, a refusal; responses in the background,
// files, batches; and Azure's client.

import OpenAI, { AzureOpenAI, toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../end-to-end/fleet.ts';
import { eventStream, type Received, type Reply } from './double.ts';
import { AGENT_KEY, REAL_KEY, type Setting, startSetting, WAYS, type Way, type WayName } from './setting.ts';

const CONFIG = `fleet: sdk
mode: enforce
budgets: [$1000/month]
upstreams:
  openai: { url: "{plain}/openai", speaks: openai, credential: real }
  openai-tls: { url: "{tls}/openai-tls", speaks: openai, credential: real, priced_as: openai }
  gpt: { url: "{plain}/gpt", speaks: openai, credential: real, priced_as: azure }
  gpt-tls: { url: "{tls}/gpt-tls", speaks: openai, credential: real, priced_as: azure }
credentials: { real: { from: env:REAL_KEY } }
roles:
  r:
    allow: [llm openai*/gpt-5-mini, llm gpt*/writer, 'hosted openai*/mcp when args.server_url == "https://tools.example/mcp"']
agents: { scout: { role: r } }
prices:
  openai/gpt-5-mini: { input: 1, cached_input: 0.5, output: 2 }
  openai-tls/gpt-5-mini: { input: 1, cached_input: 0.5, output: 2 }
  gpt/writer: { input: 3, output: 4 }
  gpt-tls/writer: { input: 3, output: 4 }
`;

const CHAT_USAGE = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
const RESPONSE_USAGE = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 110,
};
const MESSAGES = [{ role: 'user' as const, content: 'hi' }];

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting(CONFIG);
  setting.double.answer(answer);
});
afterAll(() => setting.stop());

/** What OpenAI answers, as far as its reference says. */
function answer(request: Received): Reply {
  const { pathname } = new URL(request.url, 'http://x');
  const tail = pathname.replace(
    /^\/(?:openai|gpt)(?:-tls)?(?:\/v1|\/openai\/deployments\/[^/]+|\/openai)?\//,
    '',
  );
  const body = request.headers['content-type'] === 'application/json' ? JSON.parse(`${request.body}`) : {};
  if (tail === 'chat/completions') return body.stream ? chatStream() : { body: chat(body) };
  if (tail === 'responses') return body.stream ? responseStream() : { body: response(body) };
  if (tail === 'files' && request.method === 'POST')
    return { body: { id: 'file-1', object: 'file', purpose: 'batch' } };
  if (tail === 'batches' && request.method === 'POST')
    return { body: { id: 'batch_1', object: 'batch', status: 'validating' } };
  if (tail.startsWith('batches/')) return { body: { id: 'batch_1', object: 'batch', status: 'completed' } };
  if (tail.startsWith('responses/')) return { body: { ...response({}), usage: RESPONSE_USAGE } };
  if (tail === 'embeddings')
    return {
      body: {
        object: 'list',
        model: body.model,
        data: [{ index: 0, embedding: [0.5] }],
        usage: { prompt_tokens: 7, total_tokens: 7 },
      },
    };
  return { status: 404, body: { error: { message: `no ${tail}`, type: 'invalid_request_error' } } };
}

function chat(body: { tools?: unknown }): unknown {
  const message = body.tools
    ? {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
        ],
      }
    : { role: 'assistant', content: 'hello' };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'gpt-5-mini',
    choices: [{ index: 0, message, finish_reason: body.tools ? 'tool_calls' : 'stop' }],
    usage: CHAT_USAGE,
  };
}

function chatStream(): Reply {
  const chunk = (fields: object) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-5-mini',
    ...fields,
  });
  return eventStream([
    { choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: [{ prompt_index: 0 }] },
    chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'hel' }, finish_reason: null }] }),
    chunk({ choices: [{ index: 0, delta: { content: 'lo' }, finish_reason: 'stop' }] }),
    chunk({ choices: [], usage: CHAT_USAGE }),
    '[DONE]',
  ]);
}

function response(body: { background?: boolean }): object {
  const output = [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'hello', annotations: [] }],
    },
  ];
  const shared = { id: 'resp_1', object: 'response', model: 'gpt-5-mini' };
  return body.background
    ? { ...shared, status: 'queued', background: true, output: [], usage: null }
    : { ...shared, status: 'completed', output, usage: RESPONSE_USAGE };
}

function responseStream(): Reply {
  return eventStream(
    [
      {
        type: 'response.created',
        sequence_number: 0,
        response: { ...response({ background: true }), status: 'in_progress' },
      },
      {
        type: 'response.output_text.delta',
        sequence_number: 1,
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta: 'hello',
        logprobs: [],
      },
      { type: 'response.completed', sequence_number: 2, response: response({}) },
    ],
    true,
  );
}

const upstreamOf = (name: string, way: WayName): string => (way === 'intercepted' ? `${name}-tls` : name);

describe.each(WAYS)('%s', (name) => {
  let way: Way;
  let client: OpenAI;
  beforeAll(async () => {
    way = await setting.way(name, upstreamOf('openai', name));
    client = new OpenAI({ baseURL: `${way.baseUrl}/v1`, apiKey: AGENT_KEY, maxRetries: 0, fetch: way.fetch });
  });
  /** What the record must say of a call; looked up for all of them at once, at the end. */
  const recorded: { readonly head: Response; readonly row: Partial<Record<keyof Action, unknown>> }[] = [];
  const record = (head: Response, row: Partial<Record<keyof Action, unknown>>) =>
    recorded.push({ head, row });

  it('chats', async () => {
    const { data, response: head } = await client.chat.completions
      .create({ model: 'gpt-5-mini', messages: MESSAGES })
      .withResponse();
    expect(data.choices[0]!.message.content).toBe('hello');
    expect(setting.double.received.at(-1)!.headers.authorization).toBe(`Bearer ${REAL_KEY}`);
    record(head, {
      status: 'success',
      usage_source: 'reported',
      target: `${upstreamOf('openai', name)}/gpt-5-mini`,
    });
  });

  it('streams, and shows no usage that was not asked for', async () => {
    const { data, response: head } = await client.chat.completions
      .create({ model: 'gpt-5-mini', messages: MESSAGES, stream: true })
      .withResponse();
    let text = '';
    for await (const chunk of data) {
      text += chunk.choices[0]?.delta.content ?? '';
      expect(chunk.usage ?? null).toBeNull();
    }
    expect(text).toBe('hello');
    // 100 × $1 + 10 × $2 per million
    record(head, { cost_usd: 0.00012 });
  });

  it('is asked for a tool', async () => {
    const { data, response: head } = await client.chat.completions
      .create({
        model: 'gpt-5-mini',
        messages: MESSAGES,
        tools: [{ type: 'function', function: { name: 'weather' } }],
      })
      .withResponse();
    expect(data.choices[0]!.message.tool_calls![0]).toMatchObject({ function: { name: 'weather' } });
    record(head, { cost_usd: 0.00012 });
  });

  it('throws a refusal as its own error', async () => {
    const refused = client.chat.completions.create({ model: 'gpt-5-pro', messages: MESSAGES });
    await expect(refused).rejects.toThrow(OpenAI.PermissionDeniedError);
    await expect(refused).rejects.toMatchObject({ status: 403, code: 'out_of_scope' });
  });

  it('responds, whole and streamed', async () => {
    const whole = await client.responses.create({ model: 'gpt-5-mini', input: 'hi' });
    expect(whole.output_text).toBe('hello');
    const { data, response: head } = await client.responses
      .create({ model: 'gpt-5-mini', input: 'hi', stream: true })
      .withResponse();
    const types: string[] = [];
    for await (const event of data) types.push(event.type);
    expect(types.at(-1)).toBe('response.completed');
    record(head, { usage_source: 'reported', tokens_out: 10 });
  });

  it('lets a hosted tool run at the server that a rule names, and at no other', async () => {
    const at = (server_url: string) =>
      client.responses
        .create({
          model: 'gpt-5-mini',
          input: 'hi',
          max_tool_calls: 1,
          max_output_tokens: 10,
          tools: [{ type: 'mcp', server_label: 'a', server_url }],
        })
        .asResponse();
    expect((await at('https://tools.example/mcp')).status).toBe(200);
    await expect(at('https://evil.example/mcp')).rejects.toMatchObject({ code: 'out_of_scope' });
    await expect(at('http://169.254.169.254/mcp')).rejects.toMatchObject({ code: 'destination_forbidden' });
  });

  it('pays for a response in the background when it is begun, and never again', async () => {
    const { data, response: head } = await client.responses
      .create({ model: 'gpt-5-mini', input: 'hi', background: true, max_output_tokens: 1000 })
      .withResponse();
    // the hold: 1,000 × $2 for the output, and the input by its bytes
    record(head, { status: 'success', usage_source: 'estimated', cost_usd: expect.closeTo(0.00215, 4) });
    const again = await client.responses.retrieve(data.id).asResponse();
    record(again, { status: 'success', cost_usd: 0, usage_source: 'none' });
    const cancelled = await client.responses.cancel(data.id).asResponse();
    record(cancelled, { cost_usd: 0 });
  });

  it('embeds', async () => {
    const refused = client.embeddings.create({ model: 'text-embedding-3-small', input: 'hi' });
    await expect(refused).rejects.toMatchObject({ code: 'out_of_scope' });
  });

  describe('batches', () => {
    const line = (body: object, url = '/v1/chat/completions') =>
      JSON.stringify({ custom_id: 'a', method: 'POST', url, body });
    const upload = async (lines: readonly string[], purpose: 'batch' | 'fine-tune' | 'user_data' = 'batch') =>
      client.files
        .create({ file: await toFile(Buffer.from(lines.join('\n')), 'requests.jsonl'), purpose })
        .asResponse();
    const ask = { model: 'gpt-5-mini', messages: MESSAGES, max_completion_tokens: 1000 };

    it('holds and posts what every request of the file can cost at most', async () => {
      const uploaded = await upload([line(ask), line(ask), line({ ...ask, max_completion_tokens: 500 })]);
      record(uploaded, { status: 'success', cost_usd: 0 });
      const { data, response: head } = await client.batches
        .create({ input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' })
        .withResponse();
      expect(data.id).toBe('batch_1');
      // 2,500 × $2 for the output, and the input by its bytes
      record(head, { status: 'success', usage_source: 'estimated', cost_usd: expect.closeTo(0.00564, 4) });
      const looked = await client.batches.retrieve('batch_1').asResponse();
      record(looked, { cost_usd: 0, usage_source: 'none' });
    });

    it('sends nothing on where one model of many is not allowed', async () => {
      const before = setting.double.received.length;
      await expect(upload([line(ask), line({ ...ask, model: 'gpt-5-pro' })])).rejects.toMatchObject({
        code: 'out_of_scope',
      });
      expect(setting.double.received.length).toBe(before);
    });

    it.each([
      ['a file nobody saw', 'file-2', '/v1/chat/completions', 'unpriced'],
      ['another endpoint than the file is for', 'file-1', '/v1/embeddings', 'bad_request'],
    ] as const)('refuses %s', async (_, input_file_id, endpoint, code) => {
      await expect(
        client.batches.create({ input_file_id, endpoint, completion_window: '24h' }),
      ).rejects.toMatchObject({ code });
    });

    it.each([
      ['no output limit', [line({ model: 'gpt-5-mini', messages: MESSAGES })], 'unpriced'],
      ['an endpoint that is not metered', [line(ask, '/v1/images/generations')], 'bad_request'],
      ['no JSON', ['{"custom_id":'], 'bad_request'],
      ['a key twice', ['{"url":"/v1/embeddings","url":"/v1/chat/completions"}'], 'bad_request'],
    ])('refuses a file with %s', async (_, lines, code) => {
      await expect(upload(lines)).rejects.toMatchObject({ code });
    });

    it('takes files that later calls read, and none that train a model', async () => {
      expect((await upload(['text'], 'user_data')).status).toBe(200);
      await expect(upload(['{}'], 'fine-tune')).rejects.toMatchObject({ code: 'bad_request' });
    });
  });

  describe('Azure', () => {
    it('chats with a deployment, by a key in its own header', async () => {
      const azureWay = await setting.way(name, upstreamOf('gpt', name));
      const azure = new AzureOpenAI({
        endpoint: azureWay.baseUrl,
        apiKey: AGENT_KEY,
        apiVersion: '2025-04-01-preview',
        deployment: 'writer',
        maxRetries: 0,
        fetch: azureWay.fetch,
      });
      const { data, response: head } = await azure.chat.completions
        .create({ model: 'ignored', messages: MESSAGES, stream: true })
        .withResponse();
      let text = '';
      for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? '';
      expect(text).toBe('hello');
      const received = setting.double.received.at(-1)!;
      expect(received.url).toBe(
        `/${upstreamOf('gpt', name)}/openai/deployments/writer/chat/completions?api-version=2025-04-01-preview`,
      );
      expect(received.headers['api-key']).toBe(REAL_KEY);
      expect(received.headers.authorization).toBeUndefined();
      record(head, { target: `${upstreamOf('gpt', name)}/writer`, usage_source: 'reported' });
    });
  });

  it('has recorded all of it exactly', async () => {
    const rows = await setting.rowsOf(recorded.map(({ head }) => head));
    for (const [index, row] of rows.entries())
      expect({ ...row, cost_usd: Number(row.cost_usd) }).toMatchObject(recorded[index]!.row);
  });
});
