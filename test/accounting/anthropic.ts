// Anthropic messages: a stream reports its input when it begins and its output when it ends; caches lie beside the input
// count. At $1 in, $0.10 cached, $1.25 written, $10 out a million: 1,000, 100, 1,250 and 10,000 nanodollars a token.

import { gzipSync } from 'node:zlib';
import type { AccountingRows, Scenario } from './scenario.ts';

const BODY = {
  model: 'claude-haiku-4-5',
  max_tokens: 500,
  messages: [{ role: 'user', content: 'Summarise the fleet.' }],
};

const requestOf = (body: object = BODY, path = '/v1/messages'): Scenario['request'] => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
  body,
});

const usage = (more: object = {}): object => ({ input_tokens: 1000, output_tokens: 200, ...more });

const JSON_HEADERS = { 'content-type': 'application/json' };
const SSE_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8' };

const whole = (counts: object): Scenario['answer'] => ({
  status: 200,
  headers: JSON_HEADERS,
  chunks: [
    JSON.stringify({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-haiku-4-5',
      content: [{ type: 'text', text: 'All well.' }],
      stop_reason: 'end_turn',
      usage: counts,
    }),
  ],
});

const event = (data: { type: string; [member: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const START = event({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-haiku-4-5',
    content: [],
    usage: { input_tokens: 1000, output_tokens: 1 },
  },
});
const said = (text: string): string =>
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
const STREAM = [
  START,
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  said('All'),
  said(' well.'),
  event({ type: 'content_block_stop', index: 0 }),
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 200 } }),
  event({ type: 'message_stop' }),
];

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
  dialect: 'anthropic',
  allow: ['llm anthropic/claude-haiku-4-5', 'hosted anthropic/web_search'],
  prices: {
    'anthropic/claude-haiku-4-5':
      '{ input: 1, cached_input: 0.1, cache_write: 1.25, output: 10, context_window: 10000 }',
  },
} as const;

export const anthropicMessages: AccountingRows = {
  ...SHARED,
  title: 'Anthropic messages',
  rows: {
    whole: { request: requestOf(), answer: whole(usage()), expected: PLAIN },
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
      answer: whole(usage({ cache_read_input_tokens: 400, cache_creation_input_tokens: 100 })),
      // 1,000 × 1,000 + 400 × 100 + 100 × 1,250 + 200 × 10,000
      expected: { ...PLAIN, tokensIn: 1500, tokensCached: 400, costNanodollars: 3_165_000n },
    },
    reasoning: {
      request: requestOf({ ...BODY, thinking: { type: 'enabled', budget_tokens: 100 } }),
      answer: whole(usage({ output_tokens_details: { thinking_tokens: 150 } })),
      expected: PLAIN,
    },
    'hosted tool': {
      request: requestOf({
        ...BODY,
        tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }],
      }),
      answer: whole(usage({ server_tool_use: { web_search_requests: 2 } })),
      // and two searches, at the price library's $10 a thousand
      expected: { ...PLAIN, costNanodollars: 23_000_000n },
    },
    disconnect: {
      request: requestOf({ ...BODY, stream: true }),
      answer: { status: 200, headers: SSE_HEADERS, chunks: STREAM.slice(0, 4), staysOpen: true },
      // Input as reported when the stream began. Output: 9 bytes seen, 64 that may not have been.
      expected: {
        ...PLAIN,
        status: 'failure',
        source: 'estimated',
        tokensOut: 73,
        costNanodollars: 1_000_000n + 730_000n,
      },
    },
    'mid-stream error': {
      request: requestOf({ ...BODY, stream: true }),
      answer: {
        status: 200,
        headers: SSE_HEADERS,
        chunks: [START, event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })],
      },
      // What was reported until then.
      expected: {
        ...PLAIN,
        status: 'failure',
        tokensOut: 1,
        costNanodollars: 1_000_000n + 10_000n,
      },
    },
  },
};

const POSTED_AT_HOLD =
  'A batch costs its hold when it is submitted: what its requests used is seen in its results alone.';
const REQUEST = { custom_id: 'a', params: BODY };
const SUBMITTED = JSON.stringify({
  id: 'msgbatch_1',
  type: 'message_batch',
  processing_status: 'in_progress',
});
const batchOf = (requests: object[]): Scenario['request'] => requestOf({ requests }, '/v1/messages/batches');

/** Each of two: 107 bytes but the 24 that say what a message is, 8 for it, 64 for the request; 500 tokens of output. At the dearest rate of input, an hour's cache. */
const BATCH_HELD: Scenario['expected'] = {
  status: 'success',
  source: 'estimated',
  tokensIn: null,
  tokensOut: null,
  tokensCached: null,
  costNanodollars: 2n * (155n * 2_000n + 500n * 10_000n),
};

export const anthropicBatch: AccountingRows = {
  ...SHARED,
  title: 'Anthropic batch',
  rows: {
    whole: {
      request: batchOf([REQUEST, REQUEST]),
      answer: { status: 200, headers: JSON_HEADERS, chunks: [SUBMITTED] },
      expected: BATCH_HELD,
    },
    streamed: { why: POSTED_AT_HOLD },
    gzip: {
      request: batchOf([REQUEST, REQUEST]),
      answer: {
        status: 200,
        headers: { ...JSON_HEADERS, 'content-encoding': 'gzip' },
        chunks: [gzipSync(SUBMITTED)],
      },
      expected: BATCH_HELD,
    },
    'cached tokens': { why: POSTED_AT_HOLD },
    reasoning: { why: POSTED_AT_HOLD },
    'hosted tool': { why: POSTED_AT_HOLD },
    disconnect: {
      request: batchOf([REQUEST, REQUEST]),
      answer: { status: 200, headers: JSON_HEADERS, chunks: [SUBMITTED.slice(0, 10)], staysOpen: true },
      expected: { ...BATCH_HELD, status: 'failure' },
    },
    'mid-stream error': { why: POSTED_AT_HOLD },
  },
};
