// A program with @openai/agents as its documentation writes one; only OPENAI_BASE_URL and OPENAI_API_KEY are read. Prints
// what it got, or what it caught, a line each.

import { Agent, OpenAIProvider, Runner, run, setTracingDisabled, tool } from '@openai/agents';
import { z } from 'zod';
import { saying } from './saying.ts';

setTracingDisabled(true); // traces would go to api.openai.com, past the sidecar

const weather = tool({
  name: 'weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `It is sunny in ${city}.`,
});

const agent = (model: string): Agent => new Agent({ name: 'Practice', instructions: 'Be brief.', model });
const answerOf = async (model: string): Promise<unknown> =>
  (await run(agent(model), 'Say hello.')).finalOutput;

await saying('call', () => answerOf('gpt-5-mini'));
await saying('stream', async () => {
  const streamed = await run(agent('gpt-5-mini'), 'Say hello.', { stream: true });
  let text = '';
  for await (const piece of streamed.toTextStream()) text += piece;
  await streamed.completed;
  return text;
});
await saying('tool', async () => {
  const asking = new Agent({
    name: 'Weather',
    instructions: 'Use the tool.',
    model: 'gpt-5-mini',
    tools: [weather],
  });
  return (await run(asking, 'What is the weather in Paris?')).finalOutput;
});
await saying('chat completions', async () => {
  const runner = new Runner({ modelProvider: new OpenAIProvider({ useResponses: false }) });
  return (await runner.run(agent('gpt-5-mini'), 'Say hello.')).finalOutput;
});
await saying('out_of_scope', () => answerOf('gpt-4.1'));
await saying('approval_needed', () => answerOf('gpt-5-pro'));
await saying('over_budget', () => answerOf('dollars'));
