// What was said is kept once and given back whole; a chat grows with its turns, not with their square; what is erased is
// gone, and the spans that named it stay.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eraseBodies, hashesOfCall, keptBodies } from '../../../collector/store/erase.ts';
import { loadStatements } from '../../../collector/store/load-statement.ts';
import { hasBodies } from '../../../collector/store/segment-bytes.ts';
import { ATTRIBUTES as A, SCOPE_NAME } from '../../../contract/attributes.ts';
import { type OpenedStore, openTestStore, RECEIVED_AT } from './open.ts';
import { type Attributes, requestBytes, type Span } from './otlp.ts';

let opened: OpenedStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

let next = 0;
function span(attributes: Attributes, more: Partial<Span> = {}): Span {
  next += 1;
  const spanId = Buffer.alloc(8);
  spanId.writeUInt32BE(next, 4);
  const traceId = Buffer.concat([spanId, spanId]);
  return {
    traceId,
    spanId,
    name: 'chat',
    startUnixNano: RECEIVED_AT,
    endUnixNano: RECEIVED_AT,
    attributes,
    ...more,
  };
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const sha256 = (body: string) => createHash('sha256').update(body).digest('hex');
const message = (role: string, content: string) => ({ role, parts: [{ type: 'text', content }] });

async function load(spans: readonly Span[], scope = 'agent', sender = ''): Promise<number> {
  next += 1;
  const request = requestBytes({ scope: { name: scope }, spans });
  return (await opened.store.load(opened.segment(`bodies-${next}`, [request], sender))).items;
}

async function attributesOf({ spanId }: Span): Promise<Record<string, string>> {
  const [row] = await opened.store.query<{ all: Record<string, string> }>(
    'SELECT SpanAttributes AS all FROM otel_traces WHERE SpanId = {id:String}',
    { id: hex(spanId) },
  );
  return row!.all;
}

async function messagesOf({ traceId }: Span): Promise<Record<string, (string | null)[]>> {
  const rows = await opened.store.query<{ attribute: string; messages: (string | null)[] }>(
    'SELECT attribute, messages FROM span_messages WHERE TraceId = {id:String}',
    { id: hex(traceId) },
  );
  return Object.fromEntries(rows.map(({ attribute, messages }) => [attribute, messages]));
}

describe('what was said', () => {
  test('comes back once though it was kept on several days', async () => {
    const often = JSON.stringify(message('user', 'said each day'));
    const one = span({ 'gen_ai.input.messages': `[${often},${often}]` });
    await load([one]);
    await opened.store.command(
      `INSERT INTO message_bodies SELECT hash, body, day - arrayJoin([1, 2]) FROM message_bodies WHERE hash = '${sha256(often)}'`,
    );
    expect(await messagesOf(one)).toEqual({ 'gen_ai.input.messages': [often, often] });
  });

  test('is looked up by its hash, and not among all that anybody ever said', async () => {
    const rows = await opened.store.query<Record<string, string>>(
      "EXPLAIN actions = 1 SELECT messages FROM span_messages WHERE TraceId = 'ab'",
    );
    expect(JSON.stringify(rows)).toMatch(/Algorithm: DirectKeyValueJoin/);
  });

  test('stands in the span by its hash, and comes back by it', async () => {
    const [ask, answer] = [
      message('user', 'a "quote", ünïcode \\ and a\nbreak'),
      message('assistant', 'yes'),
    ];
    const one = span({
      'gen_ai.input.messages': JSON.stringify([ask, answer]),
      'gen_ai.output.messages': JSON.stringify([answer]),
      'gen_ai.system_instructions': 'be kind',
      'gen_ai.request.model': 'gpt-5',
    });
    expect(await load([one])).toBe(1);
    const stored = await attributesOf(one);
    expect(stored['gen_ai.request.model']).toBe('gpt-5');
    expect(stored['gen_ai.system_instructions']).toBe(`sha256:${sha256('be kind')}`);
    expect(JSON.parse(stored['gen_ai.output.messages']!)).toEqual([
      `sha256:${sha256(JSON.stringify(answer))}`,
    ]);
    const back = await messagesOf(one);
    expect(back['gen_ai.input.messages']!.map((text) => JSON.parse(text!))).toEqual([ask, answer]);
    expect(back['gen_ai.output.messages']!.map((text) => JSON.parse(text!))).toEqual([answer]);
    expect(back['gen_ai.system_instructions']).toEqual(['be kind']);
  });

  test.each([
    ['an empty list', '[]'],
    ['a list that is none', '[{"role":"user"'],
    ['an object', '{"role":"user"}'],
    ['plain text', 'hello'],
    ['what looks like a hash', `sha256:${'ab'.repeat(32)}`],
  ])('%s comes back as it came', async (_what, text) => {
    const one = span({ 'gen_ai.input.messages': text });
    await load([one]);
    expect(await messagesOf(one)).toEqual({ 'gen_ai.input.messages': [text] });
  });

  test('empty is nothing', async () => {
    const one = span({ 'gen_ai.input.messages': '' });
    await load([one]);
    expect(await attributesOf(one)).toEqual({ 'gen_ai.input.messages': '' });
    expect(await messagesOf(one)).toEqual({});
  });

  test('of the AI SDK, in prompts', async () => {
    const said = [message('user', 'of the sdk')];
    const one = span({ 'ai.prompt.messages': JSON.stringify(said) });
    await load([one]);
    expect((await messagesOf(one))['ai.prompt.messages']!.map((text) => JSON.parse(text!))).toEqual(said);
  });

  const IMAGE = 'data:image/png;base64,iVBORw0KGgo=';
  test.each<[convention: string, said: Attributes, form: Attributes]>([
    [
      'OpenInference',
      {
        'llm.input_messages.0.message.content': 'what is the weather',
        'llm.input_messages.10.message.contents.0.message_content.text': 'in this place',
        'llm.input_messages.10.message.contents.1.message_content.image.image.url': IMAGE,
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments': '{"city":"Ghent"}',
        'llm.tools.0.tool.json_schema': '{"name":"weather"}',
        'llm.prompts.0.prompt.text': 'complete me',
        'input.value': '{"messages":[{"role":"user"}]}',
        'output.value': 'rain',
      },
      {
        'openinference.span.kind': 'LLM',
        'input.mime_type': 'application/json',
        'llm.input_messages.0.message.role': 'user',
        'llm.input_messages.10.message.tool_call_id': 'call_1',
        'llm.input_messages.10.message.contents.0.message_content.type': 'text',
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'weather',
        'llm.output_messages.0.message.tool_calls.0.tool_call.id': 'call_1',
        'llm.model_name': 'gpt-5',
      },
    ],
    [
      'Traceloop',
      {
        'gen_ai.prompt.0.content': 'what is the weather',
        'gen_ai.prompt.1.tool_calls.0.arguments': '{"city":"Ghent"}',
        'gen_ai.completion.0.content': 'rain',
        'llm.request.functions.0.parameters': '{"type":"object"}',
        'traceloop.entity.input': '{"args":["Ghent"]}',
        'traceloop.entity.output': 'rain',
      },
      {
        'traceloop.entity.name': 'forecast',
        'gen_ai.prompt.0.role': 'user',
        'gen_ai.prompt.1.tool_calls.0.id': 'call_1',
        'gen_ai.prompt.1.tool_calls.0.name': 'weather',
        'gen_ai.prompt.name': 'a prompt of MCP',
        'gen_ai.completion.0.finish_reason': 'stop',
      },
    ],
  ])(
    'of %s, an attribute for each part: what was said by its hash, its form as it came',
    async (_of, said, form) => {
      const one = span({ ...said, ...form });
      await load([one]);
      const hashes = Object.entries(said).map(([name, text]) => [name, `sha256:${sha256(String(text))}`]);
      expect(await attributesOf(one)).toEqual({ ...form, ...Object.fromEntries(hashes) });
      expect(await messagesOf(one)).toEqual(
        Object.fromEntries(Object.entries(said).map(([name, text]) => [name, [text]])),
      );
    },
  );

  test.each([
    ['input.value', { 'openinference.span.kind': 'CHAIN', 'input.value': 'alone' }],
    ['ai.prompt', { 'ai.operationId': 'ai.generateText', 'ai.prompt': 'alone' }],
    ['traceloop.entity.output', { 'traceloop.entity.output': 'alone' }],
    ['gen_ai.prompt.0.content', { 'gen_ai.prompt.0.content': 'alone' }],
    [
      'llm.output_messages.0.message.content',
      {
        'openinference.span.kind': 'LLM',
        'llm.output_messages.0.message.content': 'alone',
      },
    ],
  ])('%s is kept by content where nothing else is', async (name, attributes) => {
    const one = span(attributes);
    await load([one]);
    expect(await messagesOf(one)).toEqual({ [name]: ['alone'] });
  });

  test('a content of several parts is a list of them', async () => {
    const [text, image] = ['{"type":"text","text":"look"}', `{"type":"image_url","image_url":"${IMAGE}"}`];
    const one = span({ 'gen_ai.prompt.0.content': `[${text},${image}]` });
    await load([one]);
    expect(await messagesOf(one)).toEqual({ 'gen_ai.prompt.0.content': [text, image] });
  });

  test.each<[what: string, attributes: Attributes, holds: boolean]>([
    ['a list of messages', { 'gen_ai.output.messages': '[]' }, true],
    ['any span of OpenInference', { 'openinference.span.kind': 'TOOL' }, true],
    ['any of Traceloop', { 'traceloop.entity.path': 'flow' }, true],
    ['a message in parts', { 'gen_ai.prompt.0.role': 'user' }, true],
    ['what the AI SDK was asked', { 'ai.prompt': 'hello' }, true],
    [
      'none of them',
      {
        'gen_ai.provider.name': 'openai',
        'gen_ai.usage.prompt_tokens': 5,
        'gen_ai.request.model': 'gpt-5',
        'url.path': '/v1/messages',
        [A.action]: 'llm_inference',
        [A.target]: 'openai/gpt-5',
      },
      false,
    ],
  ])('is looked for in a segment with %s', async (_what, attributes, holds) => {
    next += 1;
    const segment = opened.segment(`glance-${next}`, [requestBytes({ spans: [span(attributes)] })]);
    expect(await hasBodies(segment.path)).toBe(holds);
    expect(await hasBodies(segment.path, 'inline')).toBe(false);
  });

  test('is a second statement only for segments that hold some', () => {
    const source = { from: 'file', path: '/x' } as const;
    const tables = (hasBodies: boolean) =>
      loadStatements({ id: 's', source, hasBodies }).map(({ table }) => table);
    expect(tables(false)).toEqual(['otel_traces']);
    expect(tables(true)).toEqual(['message_bodies', 'otel_traces']);
  });
});

/** Bytes on disk after a chat of so many turns, each of which tells all before it. */
async function bytesOfChat(turns: number, topic: string): Promise<number> {
  const { store } = opened;
  for (const table of ['otel_traces', 'message_bodies']) await store.command(`TRUNCATE TABLE ${table}`);
  const history: object[] = [];
  const spans = Array.from({ length: turns }, (_, turn) => {
    // Bytes that do not compress: what repeats is found by its hash or not at all.
    history.push(
      message(
        'user',
        hex(createHash('shake256', { outputLength: 2000 }).update(`${topic} ${turn}`).digest()),
      ),
    );
    return span({ 'gen_ai.input.messages': JSON.stringify(history) });
  });
  await load(spans);
  for (const table of ['otel_traces', 'message_bodies']) await store.command(`OPTIMIZE TABLE ${table} FINAL`);
  const [row] = await store.query<{ bytes: string }>(
    "SELECT sum(data_compressed_bytes) AS bytes FROM system.parts WHERE active AND table IN ('otel_traces', 'message_bodies')",
  );
  return Number(row!.bytes);
}

test('a chat of 50 turns takes twice the bytes of one of 25, not four times', async () => {
  const half = await bytesOfChat(25, 'half');
  const whole = await bytesOfChat(50, 'whole');
  expect(half).toBeGreaterThan(25 * 2000);
  expect(whole / half).toBeLessThan(2.3);
});

describe('erased', () => {
  const isKept = async (hash: string) => (await keptBodies(opened.store, [hash])).length > 0;

  test('by hash: the body is gone from every day, the span stays and says what is missing', async () => {
    const said = [message('user', 'a secret'), message('assistant', 'noted')];
    const one = span({ 'gen_ai.input.messages': JSON.stringify(said), 'gen_ai.request.model': 'gpt-5' });
    await load([one]);
    const hash = sha256(JSON.stringify(said[0]));
    expect(await isKept(hash)).toBe(true);
    await eraseBodies(opened.store, [hash]);
    expect(await isKept(hash)).toBe(false);
    expect(await messagesOf(one)).toEqual({ 'gen_ai.input.messages': [null, JSON.stringify(said[1])] });
    expect((await attributesOf(one))['gen_ai.request.model']).toBe('gpt-5');
    const [parts] = await opened.store.query(
      "SELECT count() AS left FROM system.mutations WHERE table = 'message_bodies' AND NOT is_done",
    );
    expect(parts).toEqual({ left: '0' });
  });

  test('of a message in parts: its text, wherever it was told, and nothing else', async () => {
    const said = {
      'llm.input_messages.0.message.content': 'my name is Ada',
      'input.value': 'my name is Ada',
    };
    const one = span({
      ...said,
      'llm.input_messages.0.message.role': 'user',
      'openinference.span.kind': 'LLM',
    });
    await load([one]);
    await eraseBodies(opened.store, [sha256('my name is Ada')]);
    expect(await messagesOf(one)).toEqual({
      'llm.input_messages.0.message.content': [null],
      'input.value': [null],
    });
    const [left] = await opened.store.query(
      "SELECT count() AS spans FROM otel_traces WHERE toString(tuple(*)) LIKE '%my name is Ada%'",
    );
    expect(left).toEqual({ spans: '0' });
  });

  test("by call: what the record's own span and the agent's around it say, and no more of the trace", async () => {
    const agent = span({ 'gen_ai.input.messages': JSON.stringify([message('user', 'of the call')]) });
    const other = span(
      { 'gen_ai.input.messages': JSON.stringify([message('user', 'of another')]) },
      { traceId: agent.traceId },
    );
    const record = span({ [A.callId]: 'call-9' }, { traceId: agent.traceId, parentSpanId: agent.spanId });
    await load([agent, other]);
    await load([record], SCOPE_NAME, 'scout/host');
    expect(await hashesOfCall(opened.store, 'call-9')).toEqual([
      sha256(JSON.stringify(message('user', 'of the call'))),
    ]);
    expect(await hashesOfCall(opened.store, 'call-10')).toEqual([]);
  });
});
