// A stock Gemini client behind the sidecar: it only reads GOOGLE_GEMINI_BASE_URL and GEMINI_API_KEY.
// Try: npx outrider run --agent scout -- node examples/gemini-agent.ts

import { ApiError, GoogleGenAI } from '@google/genai';

const { models } = new GoogleGenAI({});
const hello = { model: 'gemini-2.5-flash', contents: 'Say hello.' };

console.log('whole:   ', (await models.generateContent(hello)).text);

const pieces: string[] = [];
for await (const { text } of await models.generateContentStream(hello)) pieces.push(text ?? '');
console.log('streamed:', pieces.join(''));

try {
  await models.generateContent({ ...hello, model: 'gemini-2.5-pro' });
} catch (failure) {
  if (!(failure instanceof ApiError)) throw failure;
  console.log('refused: ', failure.message);
}
