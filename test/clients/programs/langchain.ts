// A program with LangChain's chat models as its documentation writes one; only the base URL and key variables are read.
// Prints what it got, or what it caught, a line each.

import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';
import { saying } from './saying.ts';

const weather = tool(async ({ city }) => `It is sunny in ${city}.`, {
  name: 'weather',
  description: 'The weather in a city.',
  schema: z.object({ city: z.string() }),
});

async function tryAll(
  name: string,
  modelNamed: (model: string) => BaseChatModel,
  models: { readonly allowed: string; readonly unknown: string; readonly asked: string },
): Promise<void> {
  const answerOf = async (model: string): Promise<string> =>
    (await modelNamed(model).invoke('Say hello.')).text;
  await saying(`${name} call`, () => answerOf(models.allowed));
  await saying(`${name} stream`, async () => {
    let text = '';
    for await (const chunk of await modelNamed(models.allowed).stream('Say hello.')) text += chunk.text;
    return text;
  });
  await saying(`${name} tool`, async () => {
    const bound = modelNamed(models.allowed).bindTools!([weather]);
    const answer = await bound.invoke('What is the weather in Paris?');
    return JSON.stringify((answer as { tool_calls?: unknown }).tool_calls);
  });
  await saying(`${name} out_of_scope`, () => answerOf(models.unknown));
  await saying(`${name} approval_needed`, () => answerOf(models.asked));
  await saying(`${name} over_budget`, () => answerOf('dollars'));
}

await tryAll('openai', (model) => new ChatOpenAI({ model }), {
  allowed: 'gpt-5-mini',
  unknown: 'gpt-4.1',
  asked: 'gpt-5-pro',
});
await tryAll('anthropic', (model) => new ChatAnthropic({ model, maxTokens: 256 }), {
  allowed: 'claude-haiku-4-5',
  unknown: 'claude-opus-4-8',
  asked: 'claude-sonnet-4-5',
});
