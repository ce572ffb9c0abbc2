// AWS's own SDK and Vercel's through the sidecar to a double that checks every signature: what they get is what AWS
// would have given them, what is recorded is exact, and no real key leaves but in a signature.

import { readFileSync } from 'node:fs';
import { Agent, type AgentOptions } from 'node:https';
import { join } from 'node:path';
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { generateText, streamText } from 'ai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { until } from '../support/processes.ts';
import { ACCESS_KEY, API_KEY, chunkFrame, exceptionFrame, frame, frames, ifSigned } from './bedrock-wire.ts';
import type { Received, Reply } from './double.ts';
import { type Setting, startSetting } from './setting.ts';

const CONFIG = `fleet: sdk
mode: enforce
budgets: [$1000/month]
upstreams:
  bedrock: { url: "{plain}/bedrock", speaks: bedrock, credential: signing }
  bearer: { url: "{plain}/bearer", speaks: bedrock, credential: sent }
  bedrock-tls: { url: "{tls}", speaks: bedrock, credential: signing }
  own: { url: "{plain}/own", speaks: bedrock, credential: agent }
  own-tls: { url: "{tls}/own", speaks: bedrock, credential: agent }
  plain: { url: "{plain}/plain", speaks: http }
credentials:
  signing: { from: env:ACCESS_KEY }
  sent: { from: env:API_KEY }
roles:
  researcher:
    allow:
      - llm bedrock/*anthropic.claude-haiku-4-5*
      - llm bedrock/meta.llama*
      - llm bedrock/amazon.titan-embed-*
      - llm bearer/us.anthropic.claude-haiku-4-5*
      - llm bedrock-tls/*anthropic.claude-haiku-4-5*
      - llm own/*
      - llm own-tls/*
      - tool get_weather
      - http POST {plain}/plain/**
agents: { scout: { role: researcher } }
prices:
  bedrock/meta.llama*: { input: 1, output: 2 }
  bedrock/amazon.titan-embed-*: { input: 1, output: 0 }
`;
/** $1.10 in, $5.50 out, $0.11 read from a cache, $1.375 written to it, per million. */
const HAIKU = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const ARN = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${HAIKU}`;
const MESSAGES = [{ role: 'user' as const, content: [{ text: 'Weather in Paris?' }] }];
const USAGE = {
  inputTokens: 600,
  outputTokens: 200,
  totalTokens: 1250,
  cacheReadInputTokens: 400,
  cacheWriteInputTokens: 50,
};
const COST = ((600 * 1.1 + 400 * 0.11 + 50 * 1.375 + 200 * 5.5) / 1e6).toFixed(9);

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting(CONFIG, { ACCESS_KEY: JSON.stringify(ACCESS_KEY, null, 2), API_KEY });
});
afterAll(() => setting.stop());

const PLACEHOLDER = {
  accessKeyId: 'AKIAPLACEHOLDER00001',
  secretAccessKey: 'placeholder',
  sessionToken: 'none',
};

/** With placeholders for credentials, whatever the region. */
const client = (upstream = 'bedrock'): BedrockRuntimeClient =>
  new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: `${setting.proxy}/${upstream}`,
    credentials: PLACEHOLDER,
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 3,
  });

const answer = (how: (request: Received) => Reply): void => setting.double.answer(ifSigned(how));

interface Recorded {
  readonly span_id: string;
  readonly status: string;
  readonly refusal: string;
  readonly error_type: string;
  readonly model: string;
  readonly tokens: readonly (number | null)[];
  readonly cost: string;
  readonly tools: readonly string[];
}

/** What the record must say of each call, by its span's id. Rows come in groups, so they are looked for once, at the end. */
const expected: Record<string, Partial<Recorded>> = {};

/** Of the call that reached the double last. */
function records(facts: Partial<Recorded>): void {
  const { traceparent } = setting.double.received.at(-1)!.headers;
  expected[String(traceparent).split('-')[2]!] = facts;
}

const recorded = (): Promise<Recorded[]> =>
  until(
    () =>
      setting.query<Recorded>(
        `SELECT a.span_id AS span_id, a.status AS status, a.refusal AS refusal, a.model AS model, t.SpanAttributes['error.type'] AS error_type,
           [toInt64(a.tokens_in), toInt64(a.tokens_out), toInt64(a.tokens_cached)] AS tokens, toString(a.cost_usd) AS cost,
           (SELECT groupArray((span_id, tool_name)) FROM tool_requests) AS asked,
           arrayMap(x -> x.2, arrayFilter(x -> x.1 = a.span_id, asked)) AS tools
         FROM actions AS a JOIN otel_traces AS t ON t.SpanId = a.span_id`,
      ),
    (rows) => Object.keys(expected).every((span) => rows.some(({ span_id }) => span_id === span)),
  );

/** Exchanges whose record is looked at. */
const EXCHANGES = 17;
const EXACT = { status: 'success', tokens: [1050, 200, 400], cost: COST };

const WHOLE = {
  output: { message: { role: 'assistant', content: [{ text: 'It is sunny.' }] } },
  stopReason: 'end_turn',
  usage: USAGE,
  metrics: { latencyMs: 100 },
};

describe('converse', () => {
  it.each([
    ['a profile', HAIKU],
    ['its ARN', ARN],
  ])('by %s', async (_, modelId) => {
    answer(() => ({ body: WHOLE }));
    const got = await client().send(new ConverseCommand({ modelId, messages: MESSAGES }));
    expect(got).toMatchObject(WHOLE);
    const { url, body, headers } = setting.double.received.at(-1)!;
    expect(url).toBe(`/bedrock/model/${encodeURIComponent(modelId)}/converse`);
    expect(JSON.parse(body.toString())).toEqual({
      messages: MESSAGES,
      inferenceConfig: { maxTokens: 16_384 },
    });
    expect(JSON.stringify(headers)).not.toContain('AKIAPLACEHOLDER');
    records({ ...EXACT, model: modelId });
  });

  it('streamed, with a tool', async () => {
    const events: ConverseStreamOutput[] = [
      { messageStart: { role: 'assistant' } },
      {
        contentBlockStart: {
          contentBlockIndex: 0,
          start: { toolUse: { toolUseId: 't1', name: 'get_weather' } },
        },
      },
      { contentBlockDelta: { contentBlockIndex: 0, delta: { toolUse: { input: '{"city":' } } } },
      { contentBlockDelta: { contentBlockIndex: 0, delta: { toolUse: { input: '"Paris"}' } } } },
      { contentBlockStop: { contentBlockIndex: 0 } },
      { messageStop: { stopReason: 'tool_use' } },
      { metadata: { usage: USAGE, metrics: { latencyMs: 100 } } },
    ] as ConverseStreamOutput[];
    answer(() => frames(events.map((event) => frame(...(Object.entries(event)[0] as [string, unknown])))));
    const toolSpec = { name: 'get_weather', inputSchema: { json: { type: 'object' } } };
    const { stream } = await client().send(
      new ConverseStreamCommand({
        modelId: HAIKU,
        messages: MESSAGES,
        toolConfig: { tools: [{ toolSpec }] },
      }),
    );
    expect(await collected(stream!)).toEqual(events);
    records({ ...EXACT, tools: ['get_weather'] });
  });

  it('broken off by an exception in the stream', async () => {
    answer(() =>
      frames([
        frame('messageStart', { role: 'assistant' }),
        exceptionFrame('throttlingException', 'Slow down'),
      ]),
    );
    const { stream } = await client().send(new ConverseStreamCommand({ modelId: HAIKU, messages: MESSAGES }));
    await expect(collected(stream!)).rejects.toMatchObject({
      name: 'ThrottlingException',
      message: 'Slow down',
    });
    records({ status: 'failure', error_type: 'throttlingException' });
  });

  it('with an API key', async () => {
    answer(() => ({ body: WHOLE }));
    await client('bearer').send(new ConverseCommand({ modelId: HAIKU, messages: MESSAGES }));
    expect(setting.double.received.at(-1)!.headers.authorization).toBe(`Bearer ${API_KEY}`);
    records(EXACT);
  });
});

describe('invoke', () => {
  const usage = {
    input_tokens: 600,
    output_tokens: 200,
    cache_read_input_tokens: 400,
    cache_creation_input_tokens: 50,
  };
  const message = {
    id: 'msg_bdrk_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-haiku-4-5-20251001',
  };
  const body = JSON.stringify({
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 300,
    messages: [{ role: 'user', content: 'Weather in Paris?' }],
  });

  it("in Anthropic's format, without a content-type", async () => {
    const said = { ...message, content: [{ type: 'text', text: 'Sunny.' }], stop_reason: 'end_turn', usage };
    answer(() => ({ body: said }));
    const got = await client().send(new InvokeModelCommand({ modelId: HAIKU, body }));
    expect(JSON.parse(got.body.transformToString())).toEqual(said);
    expect(setting.double.received.at(-1)!.body.toString()).toBe(body);
    records(EXACT);
  });

  it('streamed', async () => {
    const events = [
      { type: 'message_start', message: { ...message, content: [], usage: { ...usage, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Sunny.' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 200 } },
      {
        type: 'message_stop',
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 600, outputTokenCount: 200 },
      },
    ];
    answer(() => frames(events.map(chunkFrame)));
    const { body: stream } = await client().send(
      new InvokeModelWithResponseStreamCommand({ modelId: HAIKU, body, contentType: 'application/json' }),
    );
    const got = (await collected(stream!)).map(({ chunk }) =>
      JSON.parse(Buffer.from(chunk!.bytes!).toString()),
    );
    expect(got).toEqual(events);
    records(EXACT);
  });

  it("in Llama's format, whose limit is written in", async () => {
    const said = {
      generation: 'Sunny.',
      prompt_token_count: 10,
      generation_token_count: 5,
      stop_reason: 'stop',
    };
    answer(() => ({ body: said }));
    const asked = { modelId: 'meta.llama3-1-8b-instruct-v1:0', body: '{"prompt":"Weather?"}' };
    await client().send(new InvokeModelCommand(asked));
    expect(setting.double.received.at(-1)!.body.toString()).toBe('{"max_gen_len":2048,"prompt":"Weather?"}');
    records({ tokens: [10, 5, 0], cost: '0.000020000' });
  });

  it('an embedding, its usage told by a header alone', async () => {
    answer(() => ({ headers: { 'x-amzn-bedrock-input-token-count': '7' }, body: { embedding: [0.5] } }));
    await client().send(
      new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v2:0', body: '{"inputText":"hi"}' }),
    );
    records({ tokens: [7, 0, 0], cost: '0.000007000' });
  });
});

describe('besides', () => {
  it('needs no more than an address and a placeholder in its environment', async () => {
    answer(() => ({ body: WHOLE }));
    vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', `${setting.proxy}/bedrock`);
    vi.stubEnv('AWS_BEARER_TOKEN_BEDROCK', 'outrider-placeholder-key');
    const stock = new BedrockRuntimeClient({ region: 'us-east-1', requestHandler: new NodeHttpHandler() });
    const got = await stock.send(new ConverseCommand({ modelId: HAIKU, messages: MESSAGES }));
    vi.unstubAllEnvs();
    expect(got).toMatchObject(WHOLE);
    records(EXACT);
  });

  it('counts tokens, which is free', async () => {
    answer(() => ({ body: { inputTokens: 11 } }));
    const input = { converse: { messages: MESSAGES } };
    expect(await client().send(new CountTokensCommand({ modelId: HAIKU, input }))).toMatchObject({
      inputTokens: 11,
    });
  });

  it('hands on what AWS refuses, as the exception it is', async () => {
    answer(() => ({
      status: 400,
      headers: { 'x-amzn-errortype': 'ValidationException:http://internal.amazon.com/coral/' },
      body: { message: 'The provided model identifier is invalid.' },
    }));
    await expect(
      client().send(new ConverseCommand({ modelId: HAIKU, messages: MESSAGES })),
    ).rejects.toMatchObject({ name: 'ValidationException', $metadata: { attempts: 1 } });
    records({ status: 'failure', error_type: 'ValidationException' });
  });

  it.each([
    ['whole', () => new ConverseCommand({ modelId: 'amazon.nova-lite-v1:0', messages: MESSAGES })],
    ['streamed', () => new ConverseStreamCommand({ modelId: 'amazon.nova-lite-v1:0', messages: MESSAGES })],
  ])('refuses once what no rule allows, %s', async (_, command) => {
    const before = setting.double.received.length;
    await expect(client().send(command() as ConverseCommand)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('bedrock/amazon.nova-lite-v1:0 was refused: no rule allows it.'),
      $metadata: { httpStatusCode: 403, attempts: 1 },
    });
    expect(setting.double.received).toHaveLength(before);
  });

  it('lets an ARN with its slash through to Bedrock alone', async () => {
    const before = setting.double.received.length;
    const path = `/model/${encodeURIComponent(ARN)}/converse`;
    const got = await fetch(`${setting.proxy}/plain${path}`, { method: 'POST' });
    expect(got.status).toBe(400);
    expect(await got.json()).toMatchObject({ error: { code: 'bad_request', reason: 'path_not_canonical' } });
    expect(setting.double.received).toHaveLength(before);
  });

  it("passes no signature that was made for the sidecar's own door", async () => {
    const before = setting.double.received.length;
    await expect(
      client('own').send(new ConverseCommand({ modelId: HAIKU, messages: MESSAGES })),
    ).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("The agent's own signature would not hold: it was made for 127.0.0.1"),
    });
    expect(setting.double.received).toHaveLength(before);
  });

  it('ends an answer that holds the key it was signed with', async () => {
    answer(() => ({ body: { ...WHOLE, leaked: ACCESS_KEY.secretAccessKey } }));
    const failed = await client()
      .send(new ConverseCommand({ modelId: HAIKU, messages: MESSAGES }))
      .then(JSON.stringify, String);
    expect(failed).not.toContain(ACCESS_KEY.secretAccessKey);
  });
});

describe('a model that writes on past its limit', () => {
  const words = (from: number): string => Array.from({ length: 20 }, (_, at) => `word${from + at} `).join('');
  const CUT = { status: 'success', refusal: 'over_budget' };

  it('is cut in converse as at its limit', async () => {
    answer(() =>
      frames([
        frame('messageStart', { role: 'assistant' }),
        ...Array.from({ length: 1000 }, (_, at) =>
          frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: words(at * 20) } }),
        ),
      ]),
    );
    const { stream } = await client().send(
      new ConverseStreamCommand({ modelId: HAIKU, messages: MESSAGES, inferenceConfig: { maxTokens: 100 } }),
    );
    const events = await collected(stream!);
    expect(events.slice(-3, -1)).toEqual([
      { contentBlockStop: { contentBlockIndex: 0 } },
      { messageStop: { stopReason: 'max_tokens' } },
    ]);
    expect(events.at(-1)!.metadata!.usage!.outputTokens).toBeGreaterThan(100);
    expect(events.length).toBeLessThan(100);
    records(CUT);
  });

  it("is cut in an invoke as its maker's format has it", async () => {
    const start = {
      type: 'message_start',
      message: { id: 'm', usage: { input_tokens: 10, output_tokens: 1 } },
    };
    const delta = (text: string) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text },
    });
    const begin = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
    const deltas = Array.from({ length: 1000 }, (_, at) => delta(words(at * 20)));
    answer(() => frames([start, begin, ...deltas].map(chunkFrame)));
    const body = JSON.stringify({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Write on.' }],
    });
    const { body: stream } = await client().send(
      new InvokeModelWithResponseStreamCommand({ modelId: HAIKU, body }),
    );
    const events = (await collected(stream!)).map(({ chunk }) =>
      JSON.parse(Buffer.from(chunk!.bytes!).toString()),
    );
    expect(events.slice(-3).map(({ type }) => type)).toEqual([
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(events.at(-2).delta.stop_reason).toBe('max_tokens');
    expect(events.at(-1)['amazon-bedrock-invocationMetrics'].outputTokenCount).toBeGreaterThan(100);
    records(CUT);
  });
});

describe('by a proxy, over TLS that is looked into', () => {
  const { region, ...own } = ACCESS_KEY;
  let agent: Agent;
  beforeAll(async () => {
    await setting.way('intercepted', 'bedrock'); // makes the authority
    const ca = readFileSync(join(setting.dataDirectory, 'ca', 'ca.pem'));
    agent = new Agent({ ca, proxyEnv: { HTTPS_PROXY: setting.proxy } } as AgentOptions);
  });
  afterAll(() => agent.destroy());

  const proxied = (path: string, credentials: typeof PLACEHOLDER): BedrockRuntimeClient =>
    new BedrockRuntimeClient({
      region,
      endpoint: `${setting.double.tlsUrl}${path}`,
      credentials,
      requestHandler: new NodeHttpHandler({ httpsAgent: agent }),
    });

  it('is signed with the real key', async () => {
    answer(() => ({ body: WHOLE }));
    const got = await proxied('', PLACEHOLDER).send(
      new ConverseCommand({ modelId: ARN, messages: MESSAGES }),
    );
    expect(got).toMatchObject(WHOLE);
    expect(setting.double.received.at(-1)!.encrypted).toBe(true);
    records(EXACT);
  });

  it("passes on the agent's own signature, which still holds", async () => {
    answer(() => ({ body: WHOLE }));
    const command = { modelId: HAIKU, messages: MESSAGES, inferenceConfig: { maxTokens: 300 } };
    expect(await proxied('/own', own).send(new ConverseCommand(command))).toMatchObject(WHOLE);
    records(EXACT);
  });

  it("refuses to break the agent's own signature by a limit", async () => {
    const before = setting.double.received.length;
    await expect(
      proxied('/own', own).send(new ConverseCommand({ modelId: HAIKU, messages: MESSAGES })),
    ).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('name maxTokens'),
    });
    expect(setting.double.received).toHaveLength(before);
  });
});

describe("Vercel's SDK", () => {
  const model = () =>
    createAmazonBedrock({
      region: 'us-east-1',
      baseURL: `${setting.proxy}/bedrock`,
      accessKeyId: 'AKIAPLACEHOLDER00001',
      secretAccessKey: 'placeholder',
    })(HAIKU);

  it('whole and streamed', async () => {
    answer(() => ({ body: WHOLE }));
    expect((await generateText({ model: model(), prompt: 'Weather?' })).text).toBe('It is sunny.');
    records(EXACT);
    answer(() =>
      frames([
        frame('messageStart', { role: 'assistant' }),
        frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Sunny.' } }),
        frame('contentBlockStop', { contentBlockIndex: 0 }),
        frame('messageStop', { stopReason: 'end_turn' }),
        frame('metadata', { usage: USAGE, metrics: { latencyMs: 1 } }),
      ]),
    );
    const streamed = streamText({ model: model(), prompt: 'Weather?' });
    expect(await streamed.text).toBe('Sunny.');
    records(EXACT);
  });
});

describe('the record', () => {
  it('is exact of every call', async () => {
    const rows = await recorded();
    expect(Object.keys(expected)).toHaveLength(EXCHANGES);
    for (const [span, facts] of Object.entries(expected)) {
      const { cost, ...rest } = facts;
      const row = rows.find(({ span_id }) => span_id === span)!;
      expect(row).toMatchObject(rest);
      if (cost !== undefined) expect(Number(row.cost).toFixed(9)).toBe(cost);
    }
  });
});

async function collected<Event>(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of stream) events.push(event);
  return events;
}
