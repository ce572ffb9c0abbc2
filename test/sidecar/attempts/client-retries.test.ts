// CB-15: which clients try again by themselves, as the official SDKs of this very installation say it on the wire.

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { generateText } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { retriesItself, triesBefore } from '../../../sidecar/attempts/client-retries.ts';

const seen: IncomingHttpHeaders[] = [];
const server = createServer((request, response) => {
  seen.push(request.headers);
  request.resume();
  response.writeHead(503, { 'retry-after-ms': '1' }).end('{}');
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** The headers of each try. */
async function tries(call: () => Promise<unknown>): Promise<IncomingHttpHeaders[]> {
  const before = seen.length;
  await expect(call()).rejects.toThrow();
  return seen.slice(before);
}

const MESSAGES = [{ role: 'user' as const, content: 'hi' }];
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

const clients: readonly [name: string, retries: boolean, call: (maxRetries: number) => Promise<unknown>][] = [
  [
    'openai',
    true,
    (maxRetries) =>
      new OpenAI({ baseURL: url, apiKey: 'k', maxRetries }).chat.completions.create({
        model: 'm',
        messages: MESSAGES,
      }),
  ],
  [
    '@anthropic-ai/sdk',
    true,
    (maxRetries) =>
      new Anthropic({ baseURL: url, apiKey: 'k', maxRetries }).messages.create({
        model: 'm',
        max_tokens: 1,
        messages: MESSAGES,
      }),
  ],
  [
    'AWS',
    true,
    (maxRetries) =>
      new BedrockRuntimeClient({
        endpoint: url,
        region: 'us-east-1',
        requestHandler: new NodeHttpHandler(),
        credentials,
        maxAttempts: maxRetries + 1,
      }).send(new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'hi' }] }] })),
  ],
  [
    'ai',
    true,
    (maxRetries) =>
      generateText({ model: createOpenAI({ baseURL: url, apiKey: 'k' })('m'), prompt: 'hi', maxRetries }),
  ],
  [
    '@google/genai',
    false,
    () =>
      new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: url } }).models.generateContent({
        model: 'm',
        contents: 'hi',
      }),
  ],
  [
    'fetch',
    false,
    async () => {
      throw new Error(String((await fetch(url)).status));
    },
  ],
];

it.each(clients)('%s says so on its first try: %s', async (_, retries, call) => {
  const [first] = await tries(() => call(0));
  expect(retriesItself(first!)).toBe(retries);
  expect(triesBefore(first!)).toBe(0);
});

it.each(clients.filter(([name]) => name === 'openai' || name === '@anthropic-ai/sdk' || name === 'AWS'))(
  '%s counts its tries',
  async (_name, _retries, call) => {
    const counted = (await tries(() => call(2))).map(triesBefore);
    expect(counted).toEqual([0, 1, 2]);
  },
);

it('believes no count that is none', () => {
  for (const text of ['', '-1', '1e9', 'x', '99999'])
    expect(triesBefore({ 'x-stainless-retry-count': text })).toBe(0);
  for (const text of ['attempt=0; max=3', 'max=3', 'attempt=x'])
    expect(triesBefore({ 'amz-sdk-request': text })).toBe(0);
});
