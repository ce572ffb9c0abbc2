// What every bridge promises, run over every golden example: the request says the same in the other form, byte for byte
// where it isn't about the form; the answer comes back in the form that was asked in, wherever its bytes are split; and the
// other side's own bytes are metered.

import { describe, expect, it } from 'vitest';
import type { Upstream } from '../../contract/config/config.ts';
import { parseStrict } from '../../kit/strict-json.ts';
import { anthropic } from '../../sidecar/dialects/anthropic.ts';
import { bedrock } from '../../sidecar/dialects/bedrock.ts';
import type { AskedCall, CarriedAnswer, CarriedCall } from '../../sidecar/dialects/bridge.ts';
import type { AnswerHead, Dialect, JsonObject } from '../../sidecar/dialects/dialect.ts';
import { gemini } from '../../sidecar/dialects/gemini.ts';
import type { Metered } from '../../sidecar/dialects/metered.ts';
import { openai } from '../../sidecar/dialects/openai.ts';
import { type GoldenBridge, goldenBridges, headOf, type Message } from './golden-bridge.ts';
import { splitsOf } from './splits.ts';

const DIALECTS: Readonly<Record<string, Dialect>> = { openai, anthropic, bedrock, gemini };

const upstreamOf = ({ upstream, to }: Pick<GoldenBridge, 'upstream' | 'to'>): Upstream =>
  ({ ...upstream, speaks: to, pricedAs: null }) as Upstream;

function read(dialect: Dialect, { body, ...message }: Message): AskedCall {
  const head = headOf({ body, ...message });
  const endpoint = dialect.recognise(head)!;
  const json = parseStrict(body) as JsonObject;
  return { head, base: '', json, body, description: dialect.describe(endpoint, head, json, body) };
}

const laid = (
  over: Readonly<Record<string, string>>,
  headers: CarriedCall['headers'],
): Record<string, unknown> =>
  Object.fromEntries(Object.entries({ ...over, ...headers }).filter(([, value]) => value !== null));

interface Crossing {
  readonly to: Dialect;
  readonly asked: AskedCall;
  readonly carried: CarriedCall;
  readonly sent: AskedCall;
  answer(): CarriedAnswer;
}

function cross(golden: GoldenBridge): Crossing {
  const from = DIALECTS[golden.from]!;
  const to = DIALECTS[golden.to]!;
  const upstream = upstreamOf(golden);
  const bridge = from.bridge!(to, upstream)!;
  const asked = read(from, golden.asked);
  const carried = bridge.request(asked, golden.model, upstream)!;
  const start = `POST ${carried.path}${carried.query}`;
  const sent = read(bridge.dialect, { start, headers: golden.carried.headers, body: carried.body });
  const head: AnswerHead = { header: (name) => golden.answer.headers[name] };
  return {
    to,
    asked,
    carried,
    sent,
    answer: () => bridge.answer(statusOf(golden), head, asked.description, sent.description),
  };
}

const statusOf = ({ answer }: GoldenBridge): number => Number(answer.start.split(' ')[1]);

/** Metered as it came, passed as it is written anew. */
function receive({ to, sent, answer }: Crossing, golden: GoldenBridge, chunks: readonly Buffer[]) {
  const { rewriter } = answer();
  const streamed = to.streams(golden.answer.headers['content-type'] ?? '', sent.description);
  const meter = streamed ? to.meterStream(sent.description, { dropUsageChunk: false }) : null;
  const passed: Buffer[] = [];
  for (const chunk of chunks) {
    meter?.push(chunk);
    passed.push(rewriter ? rewriter.push(chunk) : chunk);
  }
  meter?.flush();
  if (rewriter) passed.push(rewriter.flush());
  const metered: Metered = meter
    ? meter.metered()
    : to.meterWhole(sent.description, Buffer.concat(chunks), statusOf(golden) < 300);
  return { passed: Buffer.concat(passed).toString(), metered };
}

describe.each(goldenBridges().map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
  const crossing = cross(golden);

  it('carries the request', () => {
    const { carried, sent, asked } = crossing;
    expect(`POST ${carried.path}${carried.query}`).toBe(golden.carried.start);
    expect(carried.body.toString()).toBe(golden.carried.body.toString());
    expect(laid(golden.asked.headers, carried.headers)).toEqual(golden.carried.headers);
    expect(sent.description).toMatchObject({ model: golden.model, stream: asked.description.stream });
    expect(sent.description.toolsOffered).toEqual(asked.description.toolsOffered);
    expect(sent.description.outputTokensMax).toBe(asked.description.outputTokensMax);
  });

  it('brings the answer back, at every split, and meters what came', () => {
    expect(laid(golden.answer.headers, crossing.answer().headers)).toEqual(golden.passed.headers);
    const { body } = golden.answer;
    const wanted = golden.passed.body.toString();
    for (const at of [0, ...splitsOf(body)]) {
      const { passed, metered } = receive(crossing, golden, [body.subarray(0, at), body.subarray(at)]);
      expect(passed).toBe(wanted);
      expect(metered).toMatchObject(golden.metered);
    }
  });
});

describe('a call that says what the other form cannot', () => {
  const bridges = {
    bedrock: { name: 'bedrock', url: 'https://bedrock-runtime.eu-west-1.amazonaws.com' },
    gemini: { name: 'vertex', url: 'https://aiplatform.googleapis.com/v1/projects/p/locations/global' },
    openai: { name: 'azure', url: 'https://ours.openai.azure.com' },
  };
  const ask = (from: Dialect, to: keyof typeof bridges, path: string, body: object, model: string) => {
    const upstream = upstreamOf({ upstream: bridges[to], to });
    const bytes = Buffer.from(JSON.stringify(body));
    const asked = read(from, { start: `POST ${path}`, headers: {}, body: bytes });
    return from.bridge!(DIALECTS[to]!, upstream)!.request(asked, model, upstream);
  };
  const MESSAGE = { model: 'claude-haiku-4-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };
  const shown = (block: object) => ({ ...MESSAGE, messages: [{ role: 'user', content: [block] }] });
  const SEARCH = { type: 'web_search_20250305', name: 'web_search', max_uses: 1 };
  const IMAGE = { type: 'image', source: { type: 'url', url: 'https://pictures.example/a.png' } };
  const MODELS = { bedrock: 'anthropic.claude-haiku-4-5-v1:0', gemini: 'claude-haiku-4-5' };

  describe.each(['bedrock', 'gemini'] as const)('anthropic to %s', (to) => {
    it.each<[string, object]>([
      ['a hosted tool', { ...MESSAGE, tools: [SEARCH] }],
      [
        'a remote MCP server',
        { ...MESSAGE, mcp_servers: [{ type: 'url', name: 'a', url: 'https://a.example/' }] },
      ],
      ['a tier', { ...MESSAGE, service_tier: 'priority' }],
      ['a region', { ...MESSAGE, inference_geo: 'us' }],
      ['a container', { ...MESSAGE, container: 'container_1' }],
      ['a stored file', shown({ type: 'document', source: { type: 'file', file_id: 'file_1' } })],
      ['a picture to fetch', shown(IMAGE)],
      ['one inside a tool result', shown({ type: 'tool_result', tool_use_id: 't', content: [IMAGE] })],
      ['an uploaded file', shown({ type: 'container_upload', file_id: 'file_1' })],
    ])('%s', (_, body) => {
      expect(ask(anthropic, to, '/v1/messages', MESSAGE, MODELS[to])).not.toBeNull();
      expect(ask(anthropic, to, '/v1/messages', body, MODELS[to])).toBeNull();
    });

    it('a question beside the messages', () => {
      expect(ask(anthropic, to, '/v1/messages/count_tokens', MESSAGE, MODELS[to])).toBeNull();
      const batch = { requests: [{ custom_id: 'a', params: MESSAGE }] };
      expect(ask(anthropic, to, '/v1/messages/batches', batch, MODELS[to])).toBeNull();
    });

    it("a model of another maker's", () => {
      const other = { bedrock: 'amazon.nova-lite-v1:0', gemini: 'gemini-2.5-pro' }[to];
      expect(ask(anthropic, to, '/v1/messages', MESSAGE, other)).toBeNull();
    });
  });

  const GENERATE = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] };
  const part = (one: object) => ({ contents: [{ role: 'user', parts: [one] }] });
  it.each<[string, string, object]>([
    ['a cache', 'generateContent', { ...GENERATE, cachedContent: 'cachedContents/1' }],
    ['a cache, spelled otherwise', 'generateContent', { ...GENERATE, cached_content: 'cachedContents/1' }],
    ['a stored file', 'generateContent', part({ fileData: { fileUri: 'files/1' } })],
    ['a sealed thought', 'generateContent', part({ text: 'hm', thoughtSignature: 'c2Vh' })],
    ['a hosted tool', 'generateContent', { ...GENERATE, tools: [{ googleSearch: {} }] }],
    ['a tier', 'generateContent', { ...GENERATE, serviceTier: 'flex' }],
    ['an embedding', 'embedContent', { content: { parts: [{ text: 'hi' }] } }],
    ['a token count', 'countTokens', GENERATE],
  ])('gemini to vertex: %s', (_, method, body) => {
    const path = '/v1beta/models/gemini-2.5-pro';
    expect(ask(gemini, 'gemini', `${path}:generateContent`, GENERATE, 'gemini-2.5-flash')).not.toBeNull();
    expect(ask(gemini, 'gemini', `${path}:${method}`, body, 'gemini-2.5-flash')).toBeNull();
  });

  it("gemini to vertex: a model of another maker's", () => {
    const path = '/v1beta/models/gemini-2.5-pro:generateContent';
    expect(ask(gemini, 'gemini', path, GENERATE, 'claude-haiku-4-5')).toBeNull();
  });

  it('Vertex without its project in the url', () => {
    const upstream = upstreamOf({
      upstream: { name: 'v', url: 'https://aiplatform.googleapis.com' },
      to: 'gemini',
    });
    expect(anthropic.bridge!(gemini, upstream)).toBeNull();
    expect(gemini.bridge!(gemini, upstream)).toBeNull();
  });

  const RESPONSE = { model: 'gpt-5-mini', input: 'hi' };
  const item = (one: object) => ({ ...RESPONSE, input: [one] });
  it.each<[string, string, object]>([
    ['a conversation kept at home', 'responses', { ...RESPONSE, conversation: 'conv_1' }],
    ['an answer kept at home', 'responses', { ...RESPONSE, previous_response_id: 'resp_1' }],
    ['a stored prompt', 'responses', { ...RESPONSE, prompt: { id: 'pmpt_1' } }],
    ['work in the background', 'responses', { ...RESPONSE, background: true }],
    ['an item by reference', 'responses', item({ type: 'item_reference', id: 'msg_1' })],
    [
      'sealed reasoning',
      'responses',
      item({ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' }),
    ],
    ['a file', 'responses', item({ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] })],
    ['a hosted tool', 'responses', { ...RESPONSE, tools: [{ type: 'web_search' }] }],
    ['a tier', 'chat/completions', { model: 'gpt-5-mini', messages: [], service_tier: 'flex' }],
    ['a token count', 'responses/input_tokens', RESPONSE],
    ['a batch', 'batches', { input_file_id: 'file-1', endpoint: '/v1/responses', completion_window: '24h' }],
  ])('openai to azure: %s', (_, path, body) => {
    expect(ask(openai, 'openai', '/v1/responses', RESPONSE, 'our-mini')).not.toBeNull();
    expect(ask(openai, 'openai', `/v1/${path}`, body, 'our-mini')).toBeNull();
  });
});

describe('a stream that has used up its hold', () => {
  it('ends as the asked API ends one at its limit', () => {
    const golden = goldenBridges().find(({ name }) => name === 'bedrock-stream')!;
    const { to, sent, answer } = cross(golden);
    const { rewriter } = answer();
    const meter = to.meterStream(sent.description, { dropUsageChunk: false });
    // up to the thinking, whose block is open
    const bytes = golden.answer.body.subarray(0, golden.answer.body.indexOf('chunk', 900));
    meter.push(bytes);
    const whole = bytes.subarray(0, bytes.length - meter.unfinishedBytes());
    const passed = Buffer.concat([rewriter!.push(whole), rewriter!.push(meter.cut()), rewriter!.flush()]);
    const events = passed
      .toString()
      .split('\n\n')
      .filter((event) => event !== '')
      .map((event) => JSON.parse(event.split('\ndata: ')[1]!) as JsonObject);
    expect(events.slice(-3)).toEqual([
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'max_tokens', stop_sequence: null },
        usage: { output_tokens: expect.any(Number) },
      },
      { type: 'message_stop' },
    ]);
  });
});

describe('a stream that cannot be read', () => {
  const golden = goldenBridges().find(({ name }) => name === 'bedrock-stream')!;

  it('breaks off at an unsound frame', () => {
    const bytes = Buffer.from(golden.answer.body);
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    expect(() => receive(cross(golden), golden, [bytes])).toThrow('not sound');
  });

  it('breaks off within a frame', () => {
    const bytes = golden.answer.body.subarray(0, -3);
    expect(() => receive(cross(golden), golden, [bytes])).toThrow('within a frame');
  });
});
