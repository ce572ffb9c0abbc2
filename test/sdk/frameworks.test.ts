// Vercel's AI SDK and LangChain with OpenAI's and Anthropic's providers, by every way: a call, a stream, a tool call, a
// refusal. What goes over the wire is the providers' own; here is only what a user of the frameworks sees.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatAnthropic } from '@langchain/anthropic';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, type LanguageModel, streamText, type ToolSet, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anthropicAnswer } from './anthropic-wire.ts';
import { eventStream, type Received, type Reply } from './double.ts';
import { AGENT_KEY, type Setting, startSetting, WAYS, type Way } from './setting.ts';

const CONFIG = `fleet: sdk
mode: enforce
budgets: none
upstreams:
  openai: { url: "{plain}/openai", speaks: openai, credential: real }
  openai-tls: { url: "{tls}/openai-tls", speaks: openai, credential: real, priced_as: openai }
  anthropic: { url: "{plain}/anthropic", speaks: anthropic, credential: real }
  anthropic-tls: { url: "{tls}/anthropic-tls", speaks: anthropic, credential: real }
credentials: { real: { from: env:REAL_KEY } }
roles: { r: { allow: [llm openai*/gpt-5-mini, llm anthropic*/claude-haiku-4-5] } }
agents: { scout: { role: r } }
`;

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting(CONFIG);
  setting.double.answer((request) =>
    request.url.startsWith('/anthropic') ? anthropicAnswer(request) : openaiAnswer(request),
  );
});
afterAll(() => setting.stop());

const USAGE = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };

/** Chat completions as OpenAI has them. */
function openaiAnswer({ body }: Received): Reply {
  const asked = JSON.parse(body.toString()) as { stream?: boolean; tools?: unknown };
  const said = asked.tools
    ? {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            index: 0,
            id: 'call_1',
            type: 'function',
            function: { name: 'weather', arguments: '{"city":"Oslo"}' },
          },
        ],
      }
    : { role: 'assistant', content: 'hello' };
  const shared = { id: 'chatcmpl-1', created: 1_760_000_000, model: 'gpt-5-mini' };
  const finish_reason = asked.tools ? 'tool_calls' : 'stop';
  if (!asked.stream) {
    const choices = [{ index: 0, message: said, finish_reason }];
    return { body: { ...shared, object: 'chat.completion', choices, usage: USAGE } };
  }
  const chunk = { ...shared, object: 'chat.completion.chunk' };
  return eventStream([
    { ...chunk, choices: [{ index: 0, delta: said, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason }] },
    { ...chunk, choices: [], usage: USAGE },
    '[DONE]',
  ]);
}

const wayTo = (name: Way['name'], upstream: string): Promise<Way> =>
  setting.way(name, name === 'intercepted' ? `${upstream}-tls` : upstream);
const SCHEMA = z.object({ city: z.string() });

interface Models {
  readonly allowed: string;
  readonly other: string;
}
const MODELS: Readonly<Record<'openai' | 'anthropic', Models>> = {
  openai: { allowed: 'gpt-5-mini', other: 'gpt-5-pro' },
  anthropic: { allowed: 'claude-haiku-4-5', other: 'claude-opus-4-8' },
};

describe.each(WAYS)('%s', (name) => {
  describe.each(['openai', 'anthropic'] as const)('ai with @ai-sdk/%s', (provider) => {
    const { allowed, other } = MODELS[provider];
    let modelNamed: (model: string) => LanguageModel;
    beforeAll(async () => {
      const way = await wayTo(name, provider);
      const options = { baseURL: `${way.baseUrl}/v1`, apiKey: AGENT_KEY, fetch: way.fetch };
      modelNamed = provider === 'openai' ? createOpenAI(options).chat : createAnthropic(options);
    });

    it('calls, streams and asks for a tool', async () => {
      const { text, usage } = await generateText({
        model: modelNamed(allowed),
        prompt: 'hi',
        maxOutputTokens: 50,
      });
      expect(text).toBe('hello');
      expect(usage).toMatchObject({ inputTokens: 100, outputTokens: 10 });
      let streamed = '';
      const { textStream } = streamText({ model: modelNamed(allowed), prompt: 'hi', maxOutputTokens: 50 });
      for await (const piece of textStream) streamed += piece;
      expect(streamed).toBe('hello');
      const tools = { weather: tool({ inputSchema: SCHEMA }) } as unknown as ToolSet;
      const { toolCalls } = await generateText({
        model: modelNamed(allowed),
        prompt: 'hi',
        maxOutputTokens: 50,
        tools,
      });
      expect(toolCalls).toMatchObject([{ toolName: 'weather', input: { city: 'Oslo' } }]);
    });

    it('throws a refusal at once', async () => {
      const before = setting.double.received.length;
      await expect(generateText({ model: modelNamed(other), prompt: 'hi' })).rejects.toThrow(
        'no rule allows it',
      );
      expect(setting.double.received.length).toBe(before);
    });
  });

  describe.each(['openai', 'anthropic'] as const)('LangChain with @langchain/%s', (provider) => {
    const { allowed, other } = MODELS[provider];
    let modelNamed: (model: string) => ChatOpenAI | ChatAnthropic;
    beforeAll(async () => {
      const way = await wayTo(name, provider);
      const fetchOptions = { fetch: way.fetch };
      modelNamed = (model) =>
        provider === 'openai'
          ? new ChatOpenAI({
              model,
              apiKey: AGENT_KEY,
              configuration: { baseURL: `${way.baseUrl}/v1`, ...fetchOptions },
            })
          : new ChatAnthropic({
              model,
              apiKey: AGENT_KEY,
              maxTokens: 50,
              anthropicApiUrl: way.baseUrl,
              clientOptions: fetchOptions,
            });
    });

    it('calls, streams and asks for a tool', async () => {
      expect((await modelNamed(allowed).invoke('hi')).text).toBe('hello');
      let streamed = '';
      for await (const piece of await modelNamed(allowed).stream('hi')) streamed += piece.text;
      expect(streamed).toBe('hello');
      const weather = langchainTool(({ city }) => city, {
        name: 'weather',
        description: 'It.',
        schema: SCHEMA,
      });
      const { tool_calls } = await modelNamed(allowed).bindTools([weather]).invoke('hi');
      expect(tool_calls).toMatchObject([{ name: 'weather', args: { city: 'Oslo' } }]);
    });

    it('throws a refusal at once', async () => {
      const before = setting.double.received.length;
      await expect(modelNamed(other).invoke('hi')).rejects.toThrow('no rule allows it');
      expect(setting.double.received.length).toBe(before);
    });
  });
});
