// The practice provider, driven by the official SDKs: what they accept is what providers send.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { type Behaviour, type Provider, startProvider } from '../../examples/provider/provider.ts';

let provider: Provider;

async function start(behaviour: Behaviour = {}, keys?: string[]) {
  provider = await startProvider({ behave: () => behaviour, ...(keys && { keys }) });
  const shared = { apiKey: 'test-key', maxRetries: 0 };
  return {
    openai: new OpenAI({ ...shared, baseURL: `${provider.url}/openai/v1` }),
    anthropic: new Anthropic({ ...shared, baseURL: `${provider.url}/anthropic` }),
    gemini: new GoogleGenAI({ apiKey: 'test-key', httpOptions: { baseUrl: `${provider.url}/gemini` } })
      .models,
  };
}

afterEach(() => provider.close());

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const messages = [{ role: 'user' as const, content: 'Say something.' }];
const weather = { name: 'get_weather', arguments: '{"city":"Zürich 🏔️"}' };
const usage = { input: 100, cached: 40, cacheWrite: 10, output: 30, reasoning: 20 };

describe('as OpenAI', () => {
  it('answers chat completions', async () => {
    const { openai } = await start({ text: 'Hello there.', usage });
    const answer = await openai.chat.completions.create({ model: 'gpt-5-mini', messages });
    expect(answer.choices[0]!.message.content).toBe('Hello there.');
    expect(answer.usage).toMatchObject({ prompt_tokens: 100, completion_tokens: 30, total_tokens: 130 });
    expect(answer.usage!.prompt_tokens_details).toMatchObject({ cached_tokens: 40, cache_write_tokens: 10 });
  });

  it('streams chat completions, with usage only where it was asked for', async () => {
    const { openai } = await start({ text: 'one two  three', usage });
    const ask = { model: 'gpt-5-mini', messages, stream: true as const };
    const plain = await collect(await openai.chat.completions.create(ask));
    expect(plain.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('one two  three');
    expect(plain.every((chunk) => !('usage' in chunk))).toBe(true);
    const counted = await collect(
      await openai.chat.completions.create({ ...ask, stream_options: { include_usage: true } }),
    );
    expect(counted.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 30 } });
    expect(counted.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  it('calls tools, whole and streamed', async () => {
    const { openai } = await start({ toolCalls: [weather, { ...weather, id: 'call_mine' }] });
    const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters: {} } }];
    const whole = await openai.chat.completions.create({ model: 'gpt-5', messages, tools });
    const streamed = await openai.chat.completions
      .stream({ model: 'gpt-5', messages, tools })
      .finalChatCompletion();
    for (const answer of [whole, streamed]) {
      const [choice] = answer.choices;
      expect(choice!.finish_reason).toBe('tool_calls');
      const calls = choice!.message.tool_calls!.map(
        (call) => call.type === 'function' && call.function.arguments,
      );
      expect(calls).toEqual([weather.arguments, weather.arguments]);
      expect(choice!.message.tool_calls![1]!.id).toBe('call_mine');
    }
  });

  it('keeps to the output limit', async () => {
    const { openai } = await start({ text: 'x'.repeat(1000) });
    const answer = await openai.chat.completions.create({
      model: 'gpt-5',
      messages,
      max_completion_tokens: 5,
    });
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'length',
      message: { content: 'x'.repeat(20) },
    });
    expect(answer.usage!.completion_tokens).toBe(5);
  });

  it('answers responses whole and streamed alike', async () => {
    const { openai } = await start({ text: 'a b', thinking: 'hm so', toolCalls: [weather], usage });
    const ask = { model: 'gpt-5', input: 'hi' };
    const whole = await openai.responses.create(ask);
    const streamed = await openai.responses.stream(ask).finalResponse();
    for (const response of [whole, streamed]) {
      expect(response.output_text).toBe('a b');
      expect(response.output.map((item) => item.type)).toEqual(['reasoning', 'message', 'function_call']);
      expect(response.usage).toMatchObject({ input_tokens: 100, output_tokens: 30 });
    }
  });

  it('embeds, counts, completes and lists', async () => {
    const { openai } = await start();
    const embedded = await openai.embeddings.create({
      model: 'text-embedding-3-small',
      input: ['a', 'b', 'a'],
    });
    expect(embedded.data[0]!.embedding).toEqual(embedded.data[2]!.embedding);
    expect(embedded.data[0]!.embedding).not.toEqual(embedded.data[1]!.embedding);
    const completion = await openai.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'a' });
    expect(completion.choices[0]!.text).toContain('practice');
    expect(
      (await openai.responses.inputTokens.count({ model: 'gpt-5', input: 'a' })).input_tokens,
    ).toBeGreaterThan(0);
    expect((await collect(openai.models.list())).map(({ id }) => id)).toContain('gpt-5-mini');
    expect((await openai.models.retrieve('gpt-5')).id).toBe('gpt-5');
    await expect(openai.models.retrieve('gpt-nine')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it.each([400, 401, 403, 429, 500, 503])('fails with %i in its own shape', async (status) => {
    const { openai } = await start({ status });
    const failing = openai.chat.completions.create({ model: 'gpt-5', messages });
    await expect(failing).rejects.toMatchObject({ status, error: { message: `practice error ${status}` } });
  });

  it('breaks a stream with an error event', async () => {
    const { openai } = await start({ streamErrorAfterEvents: 2 });
    const stream = await openai.chat.completions.create({ model: 'gpt-5', messages, stream: true });
    await expect(collect(stream)).rejects.toThrow('practice error');
  });

  it('refuses a key that is not its own', async () => {
    const { openai, anthropic } = await start({}, ['the-real-key']);
    await expect(openai.models.list()).rejects.toMatchObject({ status: 401 });
    await expect(anthropic.models.list()).rejects.toMatchObject({ status: 401 });
  });
});

describe('as Anthropic', () => {
  const ask = { model: 'claude-haiku-4-5', max_tokens: 1000, messages };

  it('answers messages whole and streamed alike', async () => {
    const { anthropic } = await start({ text: 'a b', thinking: 'hm so', toolCalls: [weather], usage });
    const whole = await anthropic.messages.create(ask);
    const streamed = await anthropic.messages.stream(ask).finalMessage();
    for (const message of [whole, streamed]) {
      expect(message.content.map((block) => block.type)).toEqual(['thinking', 'text', 'tool_use']);
      expect(message.content[2]).toMatchObject({ name: 'get_weather', input: { city: 'Zürich 🏔️' } });
      expect(message.stop_reason).toBe('tool_use');
      expect(message.usage).toMatchObject({
        input_tokens: 50,
        cache_read_input_tokens: 40,
        cache_creation_input_tokens: 10,
        output_tokens: 30,
      });
    }
  });

  it('keeps to the output limit', async () => {
    const { anthropic } = await start({ text: 'x'.repeat(1000) });
    const message = await anthropic.messages.create({ ...ask, max_tokens: 5 });
    expect(message).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 5 } });
  });

  it('counts tokens and lists models', async () => {
    const { anthropic } = await start();
    const { model } = ask;
    expect((await anthropic.messages.countTokens({ model, messages })).input_tokens).toBeGreaterThan(0);
    expect((await collect(anthropic.models.list())).map(({ id }) => id)).toContain(model);
    expect((await anthropic.models.retrieve(model)).id).toBe(model);
    expect((await fetch(`${provider.url}/anthropic/api/hello`, { method: 'HEAD' })).status).toBe(200);
  });

  it.each([
    [400, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [529, 'overloaded_error'],
  ])('fails with %i as %s', async (status, type) => {
    const { anthropic } = await start({ status });
    await expect(anthropic.messages.create(ask)).rejects.toMatchObject({
      status,
      error: { error: { type } },
    });
  });

  it('breaks a stream with an error event', async () => {
    const { anthropic } = await start({ streamErrorAfterEvents: 3 });
    await expect(anthropic.messages.stream(ask).finalMessage()).rejects.toThrow('overloaded_error');
  });
});

describe('on the wire', () => {
  const post = (path: string, body: object, init: RequestInit = {}) =>
    fetch(provider.url + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      ...init,
    });

  it('hangs until the client goes away', async () => {
    await start({ hang: true });
    const given = new AbortController();
    const asked = post('/v1/chat/completions', { model: 'm', messages }, { signal: given.signal });
    while (provider.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    given.abort();
    await expect(asked).rejects.toThrow();
    expect(await provider.requests[0]!.ended).toBe(false);
  });

  it.each([0, 1, 40])('hangs up after %i bytes', async (hangUpAfterBytes) => {
    await start({ hangUpAfterBytes });
    const answered = post('/v1/chat/completions', { model: 'm', messages }).then((answer) => answer.text());
    await expect(answered).rejects.toThrow();
  });

  it('says the same bytes however they are cut, and zipped', async () => {
    const body = { model: 'm', messages, stream: true };
    const texts = [];
    for (const behaviour of [
      {},
      { splitAt: [1, 2, 3, 50, 51, 9999] },
      { gzip: true },
    ] satisfies Behaviour[]) {
      await start(behaviour);
      texts.push(await (await post('/v1/chat/completions', body)).text());
      await provider.close();
    }
    expect(new Set(texts).size).toBe(1);
  });

  it('sends what it is given, and reflects headers only when asked', async () => {
    await start({ raw: { contentType: 'text/plain', body: 'as is' } });
    expect(await (await post('/v1/chat/completions', {})).text()).toBe('as is');
    await provider.close();
    await start();
    expect(await (await post('/anything/x?y=1', { a: 1 })).json()).toEqual({
      method: 'POST',
      url: '/anything/x?y=1',
      body: '{"a":1}',
    });
    const asked = await fetch(`${provider.url}/anything`, { headers: { 'x-reflect-headers': '1' } });
    expect(await asked.json()).toMatchObject({ headers: { 'x-reflect-headers': '1' } });
  });

  it('keeps what arrived, byte for byte', async () => {
    await start();
    await post('/v1/embeddings', { model: 'm', input: 'ä' });
    const [request] = provider.requests;
    expect(request).toMatchObject({ method: 'POST', url: '/v1/embeddings' });
    expect(request!.body.toString()).toBe('{"model":"m","input":"ä"}');
    expect(await request!.ended).toBe(true);
  });
});

describe('as Gemini', () => {
  const ask = { model: 'gemini-2.5-flash', contents: 'Say something.' };

  it('answers, with usage, and cuts at the limit', async () => {
    const { gemini } = await start({ text: 'Hello there.', usage });
    const whole = await gemini.generateContent(ask);
    expect(whole.text).toBe('Hello there.');
    expect(whole.usageMetadata).toMatchObject({
      promptTokenCount: 100,
      cachedContentTokenCount: 40,
      candidatesTokenCount: 10,
      thoughtsTokenCount: 20,
      totalTokenCount: 130,
    });
    const cut = await gemini.generateContent({ ...ask, config: { maxOutputTokens: 1 } });
    expect([cut.text, cut.candidates?.[0]?.finishReason]).toEqual(['Hell', 'MAX_TOKENS']);
  });

  it('streams words, usage with the last, and calls of functions', async () => {
    const { gemini } = await start({ text: 'one two  three', toolCalls: [weather], usage });
    const events = await collect(await gemini.generateContentStream(ask));
    expect(events.map((event) => event.candidates?.[0]?.content?.parts?.[0]?.text ?? '').join('')).toBe(
      'one two  three',
    );
    expect(events.map(({ usageMetadata }) => usageMetadata !== undefined)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(events.at(-1)!.functionCalls).toMatchObject([{ name: 'get_weather', args: { city: 'Zürich 🏔️' } }]);
  });

  it('streams an array to those who do not ask for events', async () => {
    await start({ text: 'one two' });
    const answer = await fetch(
      `${provider.url}/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent`,
      {
        method: 'POST',
        body: '{"contents": []}',
      },
    );
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toHaveLength(2);
  });

  it('counts, lists and fails as Gemini does', async () => {
    const { gemini } = await start();
    expect((await gemini.countTokens(ask)).totalTokens).toBeGreaterThan(0);
    expect((await collect(await gemini.list())).map(({ name }) => name)).toContain('models/gemini-2.5-flash');
    await provider.close();
    const limited = await start({ status: 429 });
    await expect(limited.gemini.generateContent(ask)).rejects.toMatchObject({ status: 429 });
    await provider.close();
    const keyed = await start({}, ['another']);
    await expect(keyed.gemini.generateContent(ask)).rejects.toMatchObject({ status: 401 });
  });
});
