// A stock OpenAI client behind the sidecar: it only reads OPENAI_BASE_URL and OPENAI_API_KEY, as `outrider run` and
// `outrider env` set them. Try: npx outrider run --agent scout -- node examples/openai-agent.ts

import OpenAI from 'openai';

const client = new OpenAI();

const whole = await client.chat.completions.create({
  model: 'gpt-5-mini',
  messages: [{ role: 'user', content: 'Say hello.' }],
});
console.log('whole:   ', whole.choices[0]?.message.content);

const stream = await client.chat.completions.create({
  model: 'gpt-5-mini',
  messages: [{ role: 'user', content: 'Say hello.' }],
  stream: true,
});
let text = '';
for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
console.log('streamed:', text);

try {
  await client.chat.completions.create({
    model: 'gpt-5-pro',
    messages: [{ role: 'user', content: 'Think hard.' }],
  });
} catch (failure) {
  if (!(failure instanceof OpenAI.APIError)) throw failure;
  console.log('refused: ', failure.message);
}
