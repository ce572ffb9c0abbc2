// OpenAI chat completions: cached and reasoning tokens lie within the counts; a stream's usage comes in its last chunk.
// At $1 in, $0.10 cached, $10 out a million: 1,000, 100 and 10,000 nanodollars a token.

import { gzipSync } from 'node:zlib';
import type { AccountingRows, Scenario } from './scenario.ts';

const BODY = {
  model: 'gpt-5-mini',
  messages: [{ role: 'user', content: 'Summarise the fleet.' }],
  max_completion_tokens: 500,
};

const requestOf = (body: object = BODY): Scenario['request'] => ({
  method: 'POST',
  path: '/v1/chat/completions',
  headers: { 'content-type': 'application/json' },
  body,
});

const usage = (prompt: number, completion: number, details: object = {}): object => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  ...details,
});

const whole = (counts: object): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_760_000_000,
    model: 'gpt-5-mini',
    choices: [{ index: 0, message: { role: 'assistant', content: 'All well.' }, finish_reason: 'stop' }],
    usage: counts,
  });

const chunk = (choices: object[], counts: object | null = null): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'gpt-5-mini', choices, usage: counts })}\n\n`;
const said = (content: string): string => chunk([{ index: 0, delta: { content }, finish_reason: null }]);
const STREAM = [
  said('All'),
  said(' well.'),
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  chunk([], usage(1000, 200)),
  'data: [DONE]\n\n',
];

const JSON_HEADERS = { 'content-type': 'application/json' };
const SSE_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8' };

/** 1,000 × 1,000 + 200 × 10,000 */
const PLAIN: Scenario['expected'] = {
  status: 'success',
  source: 'reported',
  tokensIn: 1000,
  tokensOut: 200,
  tokensCached: 0,
  costNanodollars: 3_000_000n,
};

export const openaiChat: AccountingRows = {
  title: 'OpenAI chat',
  dialect: 'openai',
  allow: ['llm openai/gpt-5-mini', 'hosted openai/web_search'],
  prices: { 'openai/gpt-5-mini': '{ input: 1, cached_input: 0.1, output: 10, context_window: 10000 }' },
  rows: {
    whole: {
      request: requestOf(),
      answer: { status: 200, headers: JSON_HEADERS, chunks: [whole(usage(1000, 200))] },
      expected: PLAIN,
    },
    streamed: {
      request: requestOf({ ...BODY, stream: true }),
      answer: { status: 200, headers: SSE_HEADERS, chunks: STREAM },
      expected: PLAIN,
    },
    gzip: {
      request: requestOf({ ...BODY, stream: true }),
      answer: {
        status: 200,
        headers: { ...SSE_HEADERS, 'content-encoding': 'gzip' },
        chunks: [gzipSync(STREAM.join(''))],
      },
      expected: PLAIN,
    },
    'cached tokens': {
      request: requestOf(),
      answer: {
        status: 200,
        headers: JSON_HEADERS,
        chunks: [whole(usage(1000, 200, { prompt_tokens_details: { cached_tokens: 400 } }))],
      },
      // 600 × 1,000 + 400 × 100 + 200 × 10,000
      expected: { ...PLAIN, tokensCached: 400, costNanodollars: 2_640_000n },
    },
    reasoning: {
      request: requestOf(),
      answer: {
        status: 200,
        headers: JSON_HEADERS,
        chunks: [whole(usage(1000, 200, { completion_tokens_details: { reasoning_tokens: 150 } }))],
      },
      expected: PLAIN,
    },
    'hosted tool': {
      request: requestOf({ ...BODY, web_search_options: {} }),
      answer: { status: 200, headers: JSON_HEADERS, chunks: [whole(usage(1000, 200))] },
      // and one search, at the price library's $10 a thousand
      expected: { ...PLAIN, costNanodollars: 13_000_000n },
    },
    disconnect: {
      request: requestOf({ ...BODY, stream: true, stream_options: { include_usage: true } }),
      answer: { status: 200, headers: SSE_HEADERS, chunks: STREAM.slice(0, 2), staysOpen: true },
      // Input by its bound: 166 bytes but 24 of JSON, 8 for a message, 64 for the request. Output: 9 bytes seen, 64 that may not have been.
      expected: {
        status: 'failure',
        source: 'estimated',
        tokensIn: 166 - 24 + 8 + 64,
        tokensOut: 9 + 64,
        tokensCached: 0,
        costNanodollars: 214n * 1_000n + 73n * 10_000n,
      },
    },
    'mid-stream error': {
      request: requestOf({ ...BODY, stream: true }),
      answer: {
        status: 200,
        headers: SSE_HEADERS,
        chunks: [
          said('All'),
          'data: {"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}\n\n',
        ],
      },
      // No usage was reported, and the provider bills none for a call that it failed itself.
      expected: {
        status: 'failure',
        source: 'none',
        tokensIn: null,
        tokensOut: null,
        tokensCached: null,
        costNanodollars: 0n,
      },
    },
  },
};
