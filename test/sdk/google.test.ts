// Google's own SDK and Vercel's through the sidecar, by every way there is, to a double that answers as Gemini does: what
// they get is what Google would have given them, what is recorded is exact, and a refusal says what to do.

import { createGoogle } from '@ai-sdk/google';
import { ApiError, FunctionCallingConfigMode, type GenerateContentConfig, GoogleGenAI } from '@google/genai';
import { APICallError, embedMany, generateText, jsonSchema, streamText, tool } from 'ai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Received, Reply } from './double.ts';
import { AGENT_KEY, REAL_KEY, type Setting, startSetting, WAYS, type Way } from './setting.ts';

const ALLOWED = ['gemini-2.5-flash', 'gemini-embedding-001'];
const rulesFor = (upstream: string): string[] => ALLOWED.map((model) => `llm ${upstream}/${model}`);
const CONFIG = `fleet: sdk
mode: enforce
budgets: [$1000/month]
upstreams:
  gemini: { url: "{plain}/gemini", speaks: gemini, credential: real }
  gemini-tls: { url: "{tls}/gemini-tls", speaks: gemini, credential: real, priced_as: google }
credentials: { real: { from: env:REAL_KEY } }
roles:
  researcher:
    allow: ${JSON.stringify([...rulesFor('gemini'), ...rulesFor('gemini-tls'), 'tool forecast'])}
    limits: { max_output_tokens: 512 }
agents: { scout: { role: researcher } }
`;

const MODEL = 'gemini-2.5-flash';
const USAGE = {
  promptTokenCount: 1000,
  cachedContentTokenCount: 400,
  candidatesTokenCount: 50,
  thoughtsTokenCount: 150,
  totalTokenCount: 1200,
};
/** $0.30 in, $0.03 cached, $2.50 out per million. */
const COST = ((600 * 0.3 + 400 * 0.03 + 200 * 2.5) / 1e6).toFixed(9);

const said = (part: object, usageMetadata: object, finishReason?: string): object => ({
  candidates: [
    { content: { parts: [part], role: 'model' }, index: 0, ...(finishReason && { finishReason }) },
  ],
  usageMetadata,
  modelVersion: MODEL,
  responseId: 'resp-1',
});
const CALL = { functionCall: { name: 'forecast', args: { city: 'Kiel' } } };

/** As Gemini answers each method; a question about the weather gets a call of a function. */
function asGemini({ url, method, body }: Received): Reply {
  const path = url.replace(/^\/gemini(?:-tls)?/, '');
  if (method === 'GET')
    return { body: { models: [...ALLOWED, 'gemini-2.5-pro'].map((id) => ({ name: `models/${id}` })) } };
  if (path.endsWith(':countTokens')) return { body: { totalTokens: 7 } };
  if (path.endsWith(':embedContent')) return { body: { embedding: { values: [0.1, 0.2] } } };
  if (path.endsWith(':batchEmbedContents')) {
    return {
      body: { embeddings: [{ values: [0.1] }, { values: [0.2] }], usageMetadata: { promptTokenCount: 12 } },
    };
  }
  const part = /weather/.test(body.toString()) ? CALL : { text: 'All well.' };
  if (path.endsWith(':generateContent')) return { body: said(part, USAGE, 'STOP') };
  const chunks = [
    said({ text: 'All' }, { ...USAGE, candidatesTokenCount: 1, totalTokenCount: 1151 }),
    said({ text: ' well.' }, USAGE, 'STOP'),
  ];
  if (!path.endsWith('?alt=sse')) return { chunks: [JSON.stringify(chunks)] };
  return {
    headers: { 'content-type': 'text/event-stream' },
    chunks: chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`),
  };
}

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting(CONFIG);
});
afterAll(() => setting.stop());
beforeEach(() => setting.double.answer(asGemini));

/** Keeps the last answer as it came, for its headers. */
function watched({ fetch: own }: Way): { fetch: typeof fetch; last(): Response } {
  let last: Response | undefined;
  return {
    fetch: async (input, init) => {
      last = await own(input, init);
      return last;
    },
    last: () => last!,
  };
}

describe.each(WAYS)('%s', (name) => {
  let way: Way;
  let wire: ReturnType<typeof watched>;
  beforeAll(async () => {
    way = await setting.way(name, name === 'intercepted' ? 'gemini-tls' : 'gemini');
    wire = watched(way);
  });

  const google = (): GoogleGenAI =>
    new GoogleGenAI({ apiKey: AGENT_KEY, httpOptions: { baseUrl: way.baseUrl, fetch: wire.fetch } });
  const vercel = () =>
    createGoogle({ apiKey: AGENT_KEY, baseURL: `${way.baseUrl}/v1beta`, fetch: wire.fetch });
  const received = (): Received => setting.double.received.at(-1)!;

  /** What the record must say of each call, asked for once all were made: records take a moment to arrive. */
  const owed: { readonly answer: Response; readonly row: object }[] = [];
  const owe = (row: object): void => void owed.push({ answer: wire.last(), row });

  function oweExact(): void {
    owe({ status: 'success', usage_source: 'reported', model: MODEL, tokens: [1000, 200, 400], cost: COST });
    expect(received().headers['x-goog-api-key']).toBe(REAL_KEY);
    expect(JSON.stringify(received().headers) + received().url).not.toContain(AGENT_KEY);
    expect(received().encrypted).toBe(name === 'intercepted');
  }

  it('@google/genai: a call, with the role’s limit written in', async () => {
    const { text } = await google().models.generateContent({ model: MODEL, contents: 'Summarise.' });
    expect(text).toBe('All well.');
    expect(JSON.parse(received().body.toString())).toMatchObject({
      generationConfig: { maxOutputTokens: 512 },
    });
    oweExact();
  });

  it('@google/genai: a stream', async () => {
    const stream = await google().models.generateContentStream({ model: MODEL, contents: 'Summarise.' });
    const pieces = [];
    for await (const chunk of stream) pieces.push(chunk.text);
    expect(pieces).toEqual(['All', ' well.']);
    oweExact();
  });

  it('@google/genai: a function it may offer', async () => {
    const config: GenerateContentConfig = {
      tools: [{ functionDeclarations: [{ name: 'forecast', parametersJsonSchema: { type: 'object' } }] }],
      toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } },
    };
    const answer = await google().models.generateContent({ model: MODEL, contents: 'The weather?', config });
    expect(answer.functionCalls).toEqual([CALL.functionCall]);
    oweExact();
  });

  it('@google/genai: a chat of two turns', async () => {
    const chat = google().chats.create({ model: MODEL });
    await chat.sendMessage({ message: 'One.' });
    await chat.sendMessage({ message: 'Two.' });
    expect(JSON.parse(received().body.toString())).toMatchObject({ contents: { length: 3 } });
    oweExact();
  });

  it('@google/genai: token counts for nothing, a list of what is allowed', async () => {
    const { totalTokens } = await google().models.countTokens({ model: MODEL, contents: 'Hi' });
    expect(totalTokens).toBe(7);
    owe({ status: 'success', target: `${way.baseUrl.split('/').at(-1)}/count_tokens` });
    const names = [];
    for await (const model of await google().models.list()) names.push(model.name);
    expect(names).toEqual(ALLOWED.map((id) => `models/${id}`));
  });

  it('@google/genai: embeddings', async () => {
    const answer = await google().models.embedContent({
      model: 'gemini-embedding-001',
      contents: ['a', 'b'],
    });
    expect(answer.embeddings).toHaveLength(2);
    // 12 tokens at $0.15 a million
    owe({ status: 'success', usage_source: 'reported', model: 'gemini-embedding-001', cost: '0.000001800' });
  });

  it('@google/genai: a refusal, said in Google’s own words', async () => {
    const before = setting.double.received.length;
    const refused = await google()
      .models.generateContent({ model: 'gemini-2.5-pro', contents: 'Hi' })
      .catch((failure: unknown) => failure);
    expect(refused).toBeInstanceOf(ApiError);
    expect((refused as ApiError).status).toBe(403);
    const { error } = JSON.parse((refused as ApiError).message) as { error: object };
    expect(error).toMatchObject({
      code: 403,
      status: 'PERMISSION_DENIED',
      message: expect.stringContaining('gemini-2.5-pro was refused: no rule allows it.') as string,
      details: [{ reason: 'OUT_OF_SCOPE', metadata: { code: 'out_of_scope' } }],
    });
    owe({ status: 'refused', refusal: 'out_of_scope' });
    expect(setting.double.received).toHaveLength(before);
  });

  it('@google/genai: a search at Google is denied unless allowed', async () => {
    const config = { tools: [{ googleSearch: {} }] };
    const refused = google().models.generateContent({ model: MODEL, contents: 'Hi', config });
    await expect(refused).rejects.toThrow(/google_search was refused/);
  });

  it('@google/genai: the provider’s own error, as it came', async () => {
    setting.double.answer(() => ({
      status: 429,
      body: { error: { code: 429, message: 'Quota exceeded.', status: 'RESOURCE_EXHAUSTED' } },
    }));
    const failed = google().models.generateContent({ model: MODEL, contents: 'Hi' });
    await expect(failed).rejects.toMatchObject({ status: 429 });
    owe({ status: 'failure', http_status: 429 });
  });

  it('ai: a text, a stream and a tool', async () => {
    const model = vercel()(MODEL);
    const { text } = await generateText({ model, prompt: 'Summarise.' });
    expect(text).toBe('All well.');
    oweExact();
    expect(await streamText({ model, prompt: 'Summarise.' }).text).toBe('All well.');
    oweExact();
    const inputSchema = jsonSchema<object>({ type: 'object', properties: {} });
    const forecast = tool({ inputSchema, execute: () => 'Sunny.' });
    const { toolCalls } = await generateText({
      model,
      prompt: 'The weather?',
      tools: { forecast },
    });
    expect(toolCalls).toMatchObject([{ toolName: 'forecast', input: { city: 'Kiel' } }]);
    oweExact();
  });

  it('ai: embeddings, and a refusal that is not retried', async () => {
    const embedding = vercel().textEmbedding('gemini-embedding-001');
    expect((await embedMany({ model: embedding, values: ['a', 'b'] })).embeddings).toHaveLength(2);
    const refused = await generateText({ model: vercel()('gemini-2.5-pro'), prompt: 'Hi' }).catch(
      (failure: unknown) => failure,
    );
    expect(APICallError.isInstance(refused) && refused.statusCode).toBe(403);
    expect((refused as Error).message).toMatch(/gemini-2.5-pro was refused: no rule allows it\./);
  });

  it('plain HTTP: a growing array, passed byte for byte', async () => {
    const answer = await wire.fetch(
      `${way.baseUrl}/v1beta/models/${MODEL}:streamGenerateContent?key=${AGENT_KEY}`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ contents: [{ parts: [{ text: 'Summarise.' }] }] }),
      },
    );
    expect(await answer.json()).toMatchObject([{ responseId: 'resp-1' }, { responseId: 'resp-1' }]);
    oweExact();
  });

  it('is recorded to the token and the nanodollar', async () => {
    expect(owed.length).toBeGreaterThan(10);
    const rows = await Promise.all(owed.map(({ answer }) => setting.rowOf(answer)));
    for (const [index, { row }] of owed.entries()) {
      const { tokens_in, tokens_out, tokens_cached, cost_usd, ...rest } = rows[index]!;
      const tokens = [tokens_in, tokens_out, tokens_cached].map(Number);
      expect({ ...rest, tokens, cost: Number(cost_usd).toFixed(9) }).toMatchObject(row);
    }
  });
});
