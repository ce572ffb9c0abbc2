// Fallbacks that cross into another wire form, behind the official SDKs: what they make of an answer carried from Bedrock,
// Vertex or Azure equals what they make of the same answer by the provider they asked. Only a header and the records tell.

import Anthropic from '@anthropic-ai/sdk';
import { type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Action } from '../end-to-end/fleet.ts';
import { until } from '../support/processes.ts';
import { anthropicAnswer } from './anthropic-wire.ts';
import { ACCESS_KEY, chunkFrame, exceptionFrame, frames, ifSigned } from './bedrock-wire.ts';
import type { Received, Reply } from './double.ts';
import { azureAnswer, openaiAnswer } from './openai-wire.ts';
import { AGENT_KEY, REAL_KEY, type Setting, startSetting } from './setting.ts';

const PROFILE = 'eu.anthropic.claude-haiku-4-5-20251001-v1:0';
const CONFIG = `fleet: sdk
mode: enforce
budgets: [$1000/month]
upstreams:
  anthropic: { url: "{plain}/anthropic", speaks: anthropic, credential: real }
  bedrock: { url: "{numeric}/bedrock", speaks: bedrock, credential: aws }
  vertex: { url: "{tls}/vertex/v1/projects/ours/locations/us-east5", speaks: gemini, credential: real }
  gemini: { url: "{plain}/gemini", speaks: gemini, credential: real }
  openai: { url: "{plain}/openai", speaks: openai, credential: real }
  azure: { url: "{numeric}/azure", speaks: openai, credential: real, priced_as: azure }
credentials: { real: { from: env:REAL_KEY }, aws: { from: env:AWS_KEY } }
roles:
  r:
    allow:
      - llm anthropic/claude-haiku-4-5
      - llm bedrock/${PROFILE}
      - llm vertex/*
      - llm gemini/gemini-2.5-pro
      - llm openai/*
      - llm azure/*
    fallback: [vertex/claude-haiku-4-5, 'bedrock/${PROFILE}', vertex/gemini-2.5-flash, azure/our-mini]
agents: { scout: { role: r } }
prices:
  anthropic/claude-haiku-4-5: { input: 1, output: 5 }
  bedrock/${PROFILE}: { input: 2, output: 10 }
  vertex/claude-haiku-4-5: { input: 3, output: 15 }
  vertex/gemini-2.5-flash: { input: 1, output: 10 }
  gemini/gemini-2.5-pro: { input: 2, output: 20 }
  openai/gpt-5-mini: { input: 1, output: 2 }
  azure/our-mini: { input: 4, output: 8 }
retries: none
money: { hold_wait: 30s }
breakers: { min_calls: 1000 }
`;

/** Upstreams by name that are out of order, with what they say. */
let failing: Readonly<Record<string, Reply>> = {};
const OVERLOADED: Reply = {
  status: 529,
  body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
};
/** Of those that serve Anthropic's messages, Bedrock alone, the last of the chain. */
const BEDROCK_LEFT = { anthropic: OVERLOADED, vertex: { status: 503, body: {} } };
const BROKEN: Reply = { status: 500, body: { error: { message: 'broken', type: 'server_error' } } };

const ANSWERS: Readonly<Record<string, (request: Received) => Reply>> = {
  anthropic: anthropicAnswer,
  bedrock: ifSigned(bedrockAnswer),
  vertex: (request) => (request.url.includes('/google/') ? geminiAnswer(request) : vertexAnswer(request)),
  gemini: geminiAnswer,
  openai: openaiAnswer,
  azure: azureAnswer,
};

let setting: Setting;
let claude: Anthropic;
let gpt: OpenAI;
beforeAll(async () => {
  setting = await startSetting(CONFIG, { AWS_KEY: JSON.stringify(ACCESS_KEY) });
  setting.double.answer((request) => {
    const name = nameIn(request);
    return failing[name] ?? ANSWERS[name]!(request);
  });
  const options = { apiKey: AGENT_KEY, maxRetries: 0 };
  claude = new Anthropic({ ...options, baseURL: `${setting.proxy}/anthropic` });
  gpt = new OpenAI({ ...options, baseURL: `${setting.proxy}/openai/v1` });
});
afterAll(() => setting.stop());
beforeEach(() => {
  failing = {};
});

const nameIn = ({ url }: Received): string => url.split('/')[1]!;

/** What Bedrock answers to an invoke in Anthropic's format: the API's own answers, streamed in frames. */
function bedrockAnswer(request: Received): Reply {
  const [, model, way] = /^\/bedrock\/model\/([^/]+)\/([a-z-]+)$/.exec(request.url)!;
  const { anthropic_version, anthropic_beta, ...asked } = JSON.parse(`${request.body}`) as Record<
    string,
    unknown
  >;
  expect(decodeURIComponent(model!)).toBe(PROFILE);
  expect(anthropic_version).toBe('bedrock-2023-05-31');
  expect(asked).not.toHaveProperty('model');
  expect(asked).not.toHaveProperty('stream');
  const said = JSON.stringify(asked.messages);
  if (said.includes('which betas'))
    return { body: { ...(plain({ ...asked }).body as object), id: String(anthropic_beta) } };
  if (way === 'invoke') return { ...plain(asked), headers: { 'x-amzn-requestid': 'aws-1' } };
  const events = eventsOf(plain({ ...asked, stream: true })).filter(({ type }) => type !== 'ping');
  const metrics = { inputTokenCount: 100, outputTokenCount: 10, invocationLatency: 1, firstByteLatency: 1 };
  const last = { ...events.at(-1)!, 'amazon-bedrock-invocationMetrics': metrics };
  if (said.includes('break off'))
    return frames([chunkFrame(events[0]), exceptionFrame('serviceUnavailableException', 'out of capacity')]);
  if (said.includes('echo'))
    return frames([events[0]!, { ...events[1]!, echo: ACCESS_KEY.sessionToken }, last].map(chunkFrame));
  return frames([...events.slice(0, -1), last].map(chunkFrame));
}

/** What Vertex answers to a prediction in Anthropic's format; to its streams it adds an event of its own. */
function vertexAnswer(request: Received): Reply {
  const way = request.url.replace(
    '/vertex/v1/projects/ours/locations/us-east5/publishers/anthropic/models/',
    '',
  );
  const { anthropic_version, ...asked } = JSON.parse(`${request.body}`) as Record<string, unknown>;
  expect(anthropic_version).toBe('vertex-2023-10-16');
  expect(way).toBe(asked.stream ? 'claude-haiku-4-5:streamRawPredict' : 'claude-haiku-4-5:rawPredict');
  const reply = plain(asked);
  const added = 'event: vertex_event\ndata: {"type":"vertex_event","usage":{}}\n\n';
  return reply.chunks ? { ...reply, chunks: [added, ...reply.chunks] } : reply;
}

/** What both of Google's doors answer, whole or as events; a question with tools gets a call of one. */
function geminiAnswer({ url, body }: Received): Reply {
  const asked = `${body}`.includes('functionDeclarations');
  const part = asked ? { functionCall: { name: 'weather', args: { city: 'Oslo' } } } : { text: 'hello' };
  const answer = {
    candidates: [{ content: { parts: [part], role: 'model' }, index: 0, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 10, totalTokenCount: 110 },
    modelVersion: 'gemini-2.5-flash',
  };
  const events = {
    headers: { 'content-type': 'text/event-stream' },
    chunks: [`data: ${JSON.stringify(answer)}\r\n\r\n`],
  };
  return url.endsWith('?alt=sse') ? events : { body: answer };
}

const plain = (asked: object): Reply =>
  anthropicAnswer({
    method: 'POST',
    url: '/v1/messages',
    headers: {},
    rawHeaders: [],
    encrypted: false,
    body: Buffer.from(JSON.stringify(asked)),
  });

const eventsOf = ({ chunks = [] }: Reply): { readonly type: string }[] =>
  chunks.map((chunk) => JSON.parse(/^data: (.*)$/m.exec(String(chunk))![1]!) as { type: string });

const ASK = {
  model: 'claude-haiku-4-5',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'hi' }],
};
const TOOL = { name: 'weather', input_schema: { type: 'object' as const } };
const FUNCTION = { type: 'function' as const, function: { name: 'weather', parameters: { type: 'object' } } };
const CHAT = {
  model: 'gpt-5-mini',
  max_completion_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'hi' }],
};

async function collected<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** One exchange: all that a client could see of it but for the head. */
interface Exchanged {
  readonly seen: unknown;
  readonly head: Response;
}
const exchange = async <Data>(
  asked: { withResponse(): Promise<{ data: Data; response: Response }> },
  see: (data: Data) => unknown = (data) => data,
): Promise<Exchanged> => {
  const { data, response } = await asked.withResponse();
  return { seen: await see(data), head: response };
};

const MESSAGES: readonly [string, () => Promise<Exchanged>][] = [
  ['a message', () => exchange(claude.messages.create(ASK))],
  ['a tool call', () => exchange(claude.messages.create({ ...ASK, tools: [TOOL] }))],
  ['a stream', () => exchange(claude.messages.create({ ...ASK, stream: true }), collected)],
  [
    'a streamed tool call',
    () => exchange(claude.messages.create({ ...ASK, tools: [TOOL], stream: true }), collected),
  ],
  [
    'the message of a stream',
    async () => {
      const stream = claude.messages.stream({ ...ASK, tools: [TOOL] });
      return { seen: await stream.finalMessage(), head: stream.response! };
    },
  ],
];

const CHATS: readonly [string, () => Promise<Exchanged>][] = [
  ['a completion', () => exchange(gpt.chat.completions.create(CHAT))],
  ['a tool call', () => exchange(gpt.chat.completions.create({ ...CHAT, tools: [FUNCTION] }))],
  ['a stream', () => exchange(gpt.chat.completions.create({ ...CHAT, stream: true }), collected)],
  [
    'a stream that reports its usage',
    () =>
      exchange(
        gpt.chat.completions.create({ ...CHAT, stream: true, stream_options: { include_usage: true } }),
        collected,
      ),
  ],
  [
    'the completion of a streamed tool call',
    async () => {
      let head: Response | undefined;
      const seeing = new OpenAI({
        apiKey: AGENT_KEY,
        maxRetries: 0,
        baseURL: `${setting.proxy}/openai/v1`,
        fetch: async (...what) => {
          head = await fetch(...what);
          return head;
        },
      });
      const stream = seeing.chat.completions.stream({ ...CHAT, tools: [FUNCTION] });
      return { seen: await stream.finalChatCompletion(), head: head! };
    },
  ],
  ['a response', () => exchange(gpt.responses.create({ model: 'gpt-5-mini', input: 'hi' }))],
  [
    'a streamed response',
    () => exchange(gpt.responses.create({ model: 'gpt-5-mini', input: 'hi', stream: true }), collected),
  ],
];

const recorded: {
  readonly head: Response;
  readonly row: Partial<Record<keyof Action | 'asked' | 'upstream', unknown>>;
}[] = [];

const served = ({ headers }: Response): string | null => headers.get('x-outrider-served');

describe.each([
  ['bedrock', `bedrock/${PROFILE}`, BEDROCK_LEFT, 0.0003],
  ['vertex', 'vertex/claude-haiku-4-5', { anthropic: OVERLOADED }, 0.00045],
] as const)('Anthropic, served by %s', (name, target, out, cost) => {
  it.each(MESSAGES)('%s', async (_, ask) => {
    const direct = await ask();
    failing = out;
    const carried = await ask();
    expect(carried.seen).toEqual(direct.seen);
    expect(carried.head.headers.get('content-type')).toBe(direct.head.headers.get('content-type'));
    expect([...carried.head.headers.keys()].filter((header) => header.startsWith('x-amz'))).toEqual([]);
    expect([served(direct.head), served(carried.head)]).toEqual([null, target]);
    recorded.push(
      { head: direct.head, row: { upstream: 'anthropic', asked: '', cost_usd: 0.00015 } },
      {
        head: carried.head,
        row: {
          upstream: name,
          asked: 'anthropic/claude-haiku-4-5',
          target,
          cost_usd: cost,
          usage_source: 'reported',
        },
      },
    );
  });
});

describe('Anthropic, served by Bedrock', () => {
  it('tells the id of the request where Anthropic does', async () => {
    failing = BEDROCK_LEFT;
    const { request_id } = await claude.messages.create(ASK).withResponse();
    expect(request_id).toBe('aws-1');
  });

  it('says the betas in the body', async () => {
    failing = BEDROCK_LEFT;
    const messages = [{ role: 'user' as const, content: 'which betas' }];
    const { id } = await claude.beta.messages.create({
      ...ASK,
      messages,
      betas: ['a-2025-01-01', 'b-2025-01-01'],
    });
    expect(id).toBe('a-2025-01-01,b-2025-01-01');
    expect(setting.double.received.at(-1)!.headers['anthropic-beta']).toBeUndefined();
  });

  it('breaks a stream off as Anthropic does', async () => {
    failing = BEDROCK_LEFT;
    const messages = [{ role: 'user' as const, content: 'break off' }];
    const stream = await claude.messages.create({ ...ASK, messages, stream: true });
    const broken = collected(stream);
    await expect(broken).rejects.toThrow(Anthropic.APIError);
    await expect(broken).rejects.toMatchObject({
      error: { type: 'error', error: { type: 'overloaded_error', message: 'out of capacity' } },
    });
  });

  it('is cut off where a frame hides the secret in base64', async () => {
    failing = BEDROCK_LEFT;
    const messages = [{ role: 'user' as const, content: 'echo' }];
    let text = '';
    // how much of it came before depends on how its bytes were cut
    const read = async () => {
      const stream = await claude.messages.create({ ...ASK, messages, stream: true });
      for await (const event of stream) text += JSON.stringify(event);
    };
    await expect(read()).rejects.toThrow();
    expect(text).not.toContain(ACCESS_KEY.sessionToken.slice(0, 20));
  });

  it.each([
    [400, 'ValidationException', Anthropic.BadRequestError, 'invalid_request_error'],
    [403, 'AccessDeniedException', Anthropic.PermissionDeniedError, 'permission_error'],
    [404, 'ResourceNotFoundException', Anthropic.NotFoundError, 'not_found_error'],
  ] as const)('throws its %i %s as an error of its own', async (status, exception, Thrown, type) => {
    const headers = { 'x-amzn-errortype': `${exception}:http://internal.amazon.com/` };
    failing = { ...BEDROCK_LEFT, bedrock: { status, headers, body: { message: 'as AWS says it' } } };
    const refused = claude.messages.create(ASK);
    await expect(refused).rejects.toThrow(Thrown);
    await expect(refused).rejects.toMatchObject({
      error: { type: 'error', error: { type, message: 'as AWS says it' } },
    });
  });

  it('is not asked for what it does not know', async () => {
    failing = BEDROCK_LEFT;
    const before = setting.double.received.length;
    const counted = claude.messages.countTokens({ model: ASK.model, messages: ASK.messages });
    await expect(counted).rejects.toThrow('Overloaded');
    const source = { type: 'url' as const, url: 'https://pictures.example/a.png' };
    const shown = [{ role: 'user' as const, content: [{ type: 'image' as const, source }] }];
    await expect(claude.messages.create({ ...ASK, messages: shown })).rejects.toThrow('Overloaded');
    expect(setting.double.received.slice(before).map(nameIn)).toEqual(['anthropic', 'anthropic']);
  });
});

describe('OpenAI, served by Azure', () => {
  it.each(CHATS)('%s', async (_, ask) => {
    const direct = await ask();
    failing = { openai: BROKEN };
    const carried = await ask();
    expect(carried.seen).toEqual(direct.seen);
    expect([served(direct.head), served(carried.head)]).toEqual([null, 'azure/our-mini']);
    const request = setting.double.received.at(-1)!;
    expect(request.url).toMatch(/^\/azure\/openai\/v1\/(?:chat\/completions|responses)$/);
    expect(request.headers).toMatchObject({ 'api-key': REAL_KEY });
    expect(JSON.parse(`${request.body}`)).toMatchObject({ model: 'our-mini' });
    recorded.push({
      head: carried.head,
      row: { upstream: 'azure', asked: 'openai/gpt-5-mini', target: 'azure/our-mini', cost_usd: 0.00048 },
    });
  });

  it('leaves the numbers of an embedding as they came', async () => {
    const ask = () => gpt.embeddings.create({ model: 'text-embedding-3-small', input: 'hi' });
    const direct = await ask();
    failing = { openai: BROKEN };
    expect(await ask()).toEqual(direct);
  });
});

describe('Gemini, served by Vertex', () => {
  const ASKED = { model: 'gemini-2.5-pro', contents: 'hi' };
  const TOOLS = { config: { tools: [{ functionDeclarations: [{ name: 'weather' }] }] } };
  const google = () =>
    new GoogleGenAI({ apiKey: AGENT_KEY, httpOptions: { baseUrl: `${setting.proxy}/gemini` } }).models;
  const told = ({ candidates, functionCalls, usageMetadata }: Partial<GenerateContentResponse>) => ({
    candidates,
    functionCalls,
    usageMetadata,
  });

  it.each<[string, () => Promise<unknown>]>([
    ['an answer', async () => told(await google().generateContent(ASKED))],
    ['a call of a function', async () => told(await google().generateContent({ ...ASKED, ...TOOLS }))],
    ['a stream', async () => (await collected(await google().generateContentStream(ASKED))).map(told)],
  ])('%s', async (_, ask) => {
    const direct = await ask();
    failing = {
      gemini: { status: 503, body: { error: { code: 503, message: 'busy', status: 'UNAVAILABLE' } } },
    };
    expect(await ask()).toEqual(direct);
    expect(setting.double.received.at(-1)!.url).toMatch(
      /^\/vertex\/v1\/projects\/ours\/locations\/us-east5\/publishers\/google\/models\/gemini-2.5-flash:/,
    );
  });
});

it('each is recorded and charged by who served it', async () => {
  const rows = await setting.rowsOf(recorded.map(({ head }) => head));
  for (const [index, row] of rows.entries())
    expect({ ...row, cost_usd: Number(row.cost_usd) }).toMatchObject(recorded[index]!.row);
  const [failed] = await until(
    () =>
      setting.query<{ calls: string; cost: number }>(
        "SELECT toString(count()) AS calls, sum(cost_usd) AS cost FROM actions WHERE upstream = 'anthropic' AND status = 'failure'",
      ),
    ([row]) => Number(row?.calls) > 0,
  );
  expect(Number(failed!.cost)).toBe(0);
});
