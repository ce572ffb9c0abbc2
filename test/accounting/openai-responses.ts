// OpenAI responses: a stream's usage comes with the whole response in its last event; hosted tools are counted by the
// items they leave. At $1 in, $0.10 cached, $10 out a million: 1,000, 100 and 10,000 nanodollars a token.

import { gzipSync } from 'node:zlib';
import type { AccountingRows, Scenario } from './scenario.ts';

const BODY = { model: 'gpt-5-mini', input: 'Summarise the fleet.', max_output_tokens: 500 };

const requestOf = (body: object = BODY): Scenario['request'] => ({
  method: 'POST',
  path: '/v1/responses',
  headers: { 'content-type': 'application/json' },
  body,
});

const usage = (cached = 0, reasoning = 0): object => ({
  input_tokens: 1000,
  input_tokens_details: { cached_tokens: cached },
  output_tokens: 200,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: 1200,
});

const MESSAGE = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'All well.' }] };
const SEARCH = { type: 'web_search_call', id: 'ws_1', status: 'completed' };

const response = (counts: object | null, status = 'completed', output: object[] = [MESSAGE]): object => ({
  id: 'resp_1',
  object: 'response',
  status,
  model: 'gpt-5-mini',
  output,
  usage: counts,
});

const event = (data: { type: string; [member: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const CREATED = event({ type: 'response.created', response: response(null, 'in_progress', []) });
const said = (delta: string): string => event({ type: 'response.output_text.delta', delta });
const STREAM = [
  CREATED,
  said('All'),
  said(' well.'),
  event({ type: 'response.completed', response: response(usage()) }),
];

const JSON_HEADERS = { 'content-type': 'application/json' };
const SSE_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8' };
const whole = (answer: object): Scenario['answer'] => ({
  status: 200,
  headers: JSON_HEADERS,
  chunks: [JSON.stringify(answer)],
});

/** 1,000 × 1,000 + 200 × 10,000 */
const PLAIN: Scenario['expected'] = {
  status: 'success',
  source: 'reported',
  tokensIn: 1000,
  tokensOut: 200,
  tokensCached: 0,
  costNanodollars: 3_000_000n,
};

const SHARED = {
  dialect: 'openai',
  allow: ['llm openai/gpt-5-mini', 'hosted openai/web_search'],
  prices: { 'openai/gpt-5-mini': '{ input: 1, cached_input: 0.1, output: 10, context_window: 10000 }' },
} as const;

export const openaiResponses: AccountingRows = {
  ...SHARED,
  title: 'OpenAI responses',
  rows: {
    whole: { request: requestOf(), answer: whole(response(usage())), expected: PLAIN },
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
      answer: whole(response(usage(400))),
      // 600 × 1,000 + 400 × 100 + 200 × 10,000
      expected: { ...PLAIN, tokensCached: 400, costNanodollars: 2_640_000n },
    },
    reasoning: { request: requestOf(), answer: whole(response(usage(0, 150))), expected: PLAIN },
    'hosted tool': {
      request: requestOf({ ...BODY, max_tool_calls: 3, tools: [{ type: 'web_search' }] }),
      answer: whole(response(usage(), 'completed', [SEARCH, SEARCH, MESSAGE])),
      // and two searches, at the price library's $10 a thousand
      expected: { ...PLAIN, costNanodollars: 23_000_000n },
    },
    disconnect: {
      request: requestOf({ ...BODY, stream: true }),
      answer: { status: 200, headers: SSE_HEADERS, chunks: STREAM.slice(0, 3), staysOpen: true },
      // Input by its bound: 91 bytes, 64 for the request. Output: 9 bytes seen, 64 that may not have been.
      expected: {
        status: 'failure',
        source: 'estimated',
        tokensIn: 91 + 64,
        tokensOut: 9 + 64,
        tokensCached: 0,
        costNanodollars: 155n * 1_000n + 73n * 10_000n,
      },
    },
    'mid-stream error': {
      request: requestOf({ ...BODY, stream: true }),
      answer: {
        status: 200,
        headers: SSE_HEADERS,
        chunks: [
          CREATED,
          said('All'),
          event({ type: 'error', code: 'server_error', message: 'The server had an error' }),
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

const ONCE_BEGUN =
  'What a response in the background used is seen by nobody who began it: it costs its hold when it is begun.';
const QUEUED = response(null, 'queued', []);

/** The hold: 95 bytes (`"background":true` and all) and 64 for the request; 500 tokens of output. */
const HELD: Scenario['expected'] = {
  status: 'success',
  source: 'estimated',
  tokensIn: null,
  tokensOut: null,
  tokensCached: null,
  costNanodollars: 159n * 1_000n + 500n * 10_000n,
};
const IN_BACKGROUND = { ...BODY, background: true };

export const openaiBackground: AccountingRows = {
  ...SHARED,
  title: 'OpenAI responses in the background',
  rows: {
    whole: { request: requestOf(IN_BACKGROUND), answer: whole(QUEUED), expected: HELD },
    streamed: {
      request: requestOf({ ...IN_BACKGROUND, stream: true }),
      answer: { status: 200, headers: SSE_HEADERS, chunks: STREAM },
      expected: PLAIN,
    },
    gzip: {
      request: requestOf(IN_BACKGROUND),
      answer: {
        status: 200,
        headers: { ...JSON_HEADERS, 'content-encoding': 'gzip' },
        chunks: [gzipSync(JSON.stringify(QUEUED))],
      },
      expected: HELD,
    },
    'cached tokens': { why: ONCE_BEGUN },
    reasoning: { why: ONCE_BEGUN },
    'hosted tool': { why: ONCE_BEGUN },
    disconnect: {
      request: requestOf({ ...IN_BACKGROUND, stream: true }),
      answer: { status: 200, headers: SSE_HEADERS, chunks: STREAM.slice(0, 2), staysOpen: true },
      // The work goes on: 14 bytes more than above in the body.
      expected: { ...HELD, status: 'failure', costNanodollars: 173n * 1_000n + 500n * 10_000n },
    },
    'mid-stream error': {
      request: requestOf({ ...IN_BACKGROUND, stream: true }),
      answer: {
        status: 200,
        headers: SSE_HEADERS,
        chunks: [CREATED, event({ type: 'error', code: 'server_error', message: 'The server had an error' })],
      },
      expected: { ...HELD, status: 'failure', costNanodollars: 173n * 1_000n + 500n * 10_000n },
    },
  },
};
