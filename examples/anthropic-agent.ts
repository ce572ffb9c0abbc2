// A stock Anthropic client behind the sidecar: it only reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
// Try: npx outrider run --agent scout -- node examples/anthropic-agent.ts

import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic();

const whole = await client.messages.create({
  model: 'claude-haiku-4-5',
  max_tokens: 256,
  messages: [{ role: 'user', content: 'Say hello.' }],
});
console.log('whole:   ', whole.content[0]?.type === 'text' ? whole.content[0].text : whole.content);

const stream = client.messages.stream({
  model: 'claude-haiku-4-5',
  max_tokens: 256,
  messages: [{ role: 'user', content: 'Say hello.' }],
});
console.log('streamed:', await stream.finalText());

try {
  await client.messages.create({
    model: 'claude-opus-4-1',
    max_tokens: 256,
    messages: [{ role: 'user', content: 'Hi' }],
  });
} catch (failure) {
  if (!(failure instanceof Anthropic.APIError)) throw failure;
  console.log('refused: ', failure.message);
}
