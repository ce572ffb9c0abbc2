// What a meter says when it is asked too early, fed nonsense, or cannot read on; and that it reads what an
// independently written provider sends.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Behaviour, type Provider, startProvider } from '../../../examples/provider/provider.ts';
import { anthropic } from '../../../sidecar/dialects/anthropic.ts';
import type { Description, Dialect, JsonObject } from '../../../sidecar/dialects/dialect.ts';
import type { Metered } from '../../../sidecar/dialects/metered.ts';
import { openai } from '../../../sidecar/dialects/openai.ts';
import { SSE_LINE_BYTES_MAX } from '../../../sidecar/dialects/sse.ts';

function described(dialect: Dialect, path: string, body: JsonObject): Description {
  const head = { method: 'POST', path, query: '', headers: {} };
  return dialect.describe(dialect.recognise(head)!, head, body, Buffer.from(JSON.stringify(body)));
}

const chat = described(openai, '/v1/chat/completions', {
  model: 'm',
  messages: [],
  stream: true,
  max_tokens: 9,
});
const usageChunk = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n';
const content = 'data: {"choices":[{"index":0,"delta":{"content":"abcd"}}]}\n\n';

describe('a chat stream', () => {
  const meterOf = (...chunks: string[]) => {
    const meter = openai.meterStream(chat, { dropUsageChunk: false });
    for (const chunk of chunks) meter.push(Buffer.from(chunk));
    return meter;
  };

  it('says what was seen so far, at any time', () => {
    const meter = meterOf();
    expect(meter.metered()).toMatchObject({ usage: null, outputBytesSeen: 0, complete: false });
    meter.push(Buffer.from(content + content.slice(0, 20)));
    expect(meter.metered()).toMatchObject({ usage: null, outputBytesSeen: 4, complete: false });
    meter.push(Buffer.from(content.slice(20) + usageChunk));
    expect(meter.metered()).toMatchObject({
      usage: { outputTokens: 2 },
      outputBytesSeen: 8,
      complete: false,
    });
  });

  it('counts what it cannot read as output, and goes on', () => {
    const metered = meterOf('data: {broken\n\n', 'data: [1]\n\n', content, usageChunk).metered();
    expect(metered.outputBytesSeen).toBe('{broken'.length + '[1]'.length + 4);
    expect(metered.usage).toMatchObject({ uncachedInputTokens: 5 });
  });

  it('has no usage once it gave up reading, whatever it read before, and counts every byte', () => {
    const meter = meterOf(content, usageChunk);
    meter.push(Buffer.from(`data: ${'x'.repeat(SSE_LINE_BYTES_MAX)}`));
    meter.push(Buffer.from(`x\n\n${usageChunk}`));
    const metered = meter.metered();
    expect(metered.usage).toBeNull();
    expect(metered.outputBytesSeen).toBeGreaterThan(SSE_LINE_BYTES_MAX);
  });

  it.each([
    '{}',
    '{"choices":7}',
    '{"choices":[7,null]}',
    '{"choices":[{"delta":[]}]}',
    '{"usage":[]}',
    'null',
    '""',
  ])('is not thrown by %s', (data) => {
    const meter = meterOf(`data: ${data}\n\n`, usageChunk);
    expect(() => meter.metered()).not.toThrow();
  });

  it('takes usage only from where the protocol has it', () => {
    const said = JSON.stringify({ usage: { prompt_tokens: 1, completion_tokens: 1 }, choices: [] });
    const events = [
      { choices: [{ index: 0, delta: { content: said, usage: { prompt_tokens: 1 } } }] },
      { choices: [{ index: 0, delta: {}, usage: { prompt_tokens: 1, completion_tokens: 1 } }] },
    ];
    const meter = meterOf(...events.map((event) => `data: ${JSON.stringify(event)}\n\n`));
    expect(meter.metered().usage).toBeNull();
  });
});

describe('tool requests', () => {
  it('have the digest of the arguments as written, though a character be cut in two', () => {
    const message = described(anthropic, '/v1/messages', { model: 'm', messages: [], max_tokens: 9 });
    const digests = [
      ['{"a":"🏔️"}'],
      ['{"a":"\ud83c', '\udfd4️"}'],
      [...'{"a":"'].concat('\ud83c', '\udfd4', '️', '"}'),
    ].map((pieces) => {
      const meter = anthropic.meterStream(message, { dropUsageChunk: false });
      const start = { type: 'tool_use', id: 't', name: 'n', input: {} };
      const events = [
        { type: 'content_block_start', index: 0, content_block: start },
        ...pieces.map((partial_json) => ({
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'input_json_delta', partial_json },
        })),
      ];
      for (const event of events) meter.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
      return meter.metered().toolRequests[0]!.argumentsDigest;
    });
    expect(new Set(digests).size).toBe(1);
    // printf '{"a":"🏔️"}' | sha256sum
    expect(digests[0]).toBe('f42741a7bca942139e15f0d96d2003f6e63c7aeea86c919d3fa99254b5bce3ba');
  });
});

describe('what the practice provider sends', () => {
  let provider: Provider;
  const behaviour: Behaviour = {
    text: 'Grüezi mitenand',
    thinking: 'hm so',
    toolCalls: [{ id: 'call_x', name: 'lookup', arguments: '{"q":"é"}' }],
    usage: { input: 1000, cached: 300, cacheWrite: 50, output: 77, reasoning: 20 },
    model: 'answered-model',
  };

  beforeAll(async () => {
    provider = await startProvider({ behave: () => behaviour });
  });
  afterAll(() => provider.close());

  const ask = { model: 'm', max_tokens: 500, messages: [{ role: 'user', content: 'hi' }] };

  it.each([
    ['chat', openai, '/v1/chat/completions', { ...ask, stream_options: { include_usage: true } }],
    ['responses', openai, '/v1/responses', { model: 'm', input: 'hi', max_output_tokens: 500 }],
    ['messages', anthropic, '/v1/messages', ask],
  ] as const)('as %s is read alike, whole and streamed', async (_, dialect, path, body) => {
    const read: Metered[] = [];
    for (const stream of [false, true]) {
      const answer = await fetch(provider.url + path, {
        method: 'POST',
        body: JSON.stringify({ ...body, stream }),
      });
      const description = described(dialect, path, { ...body, stream } as unknown as JsonObject);
      if (!stream) {
        read.push(dialect.meterWhole(description, Buffer.from(await answer.arrayBuffer()), answer.ok));
        continue;
      }
      const meter = dialect.meterStream(description, { dropUsageChunk: false });
      for await (const chunk of answer.body!) meter.push(Buffer.from(chunk));
      meter.flush();
      read.push(meter.metered());
    }
    for (const metered of read) {
      expect(metered).toMatchObject({
        usage: { uncachedInputTokens: 650, cachedInputTokens: 300, cacheWriteTokens: 50, outputTokens: 77 },
        model: 'answered-model',
        toolRequests: [{ name: 'lookup', id: 'call_x' }],
        errorType: null,
        complete: true,
      });
    }
    expect(read[1]!.toolRequests).toEqual(read[0]!.toolRequests);
    expect(read[1]!.finishReasons).toEqual(read[0]!.finishReasons);
  });
});
