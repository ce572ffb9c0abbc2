// Bedrock's InvokeModel in Anthropic's format: its own events within binary frames, with the input's counts in the first.
// At $1 in, $0.10 cached, $1.25 written ($2 for an hour), $10 out a million.

import { gzipSync } from 'node:zlib';
import { ACCESS_KEY, chunkFrame, EVENT_STREAM } from '../sdk/bedrock-wire.ts';
import type { AccountingRows, Scenario } from './scenario.ts';

const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1%3A0';

const requestOf = (operation: string): Scenario['request'] => ({
  method: 'POST',
  path: `/model/${MODEL}/${operation}`,
  headers: { 'content-type': 'application/json' },
  body: {
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 500,
    messages: [{ role: 'user', content: 'Summarise the fleet.' }],
  },
});
const WHOLE = requestOf('invoke');
const STREAMED = requestOf('invoke-with-response-stream');

const usage = (input: number, output: number, more: object = {}): object => ({
  input_tokens: input,
  output_tokens: output,
  ...more,
});

const message = (counts: object, content: object[] = [{ type: 'text', text: 'All well.' }]): object => ({
  id: 'msg_bdrk_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5-20251001',
  content,
  stop_reason: 'end_turn',
  usage: counts,
});
const whole = (counts: object, content?: object[]): string => JSON.stringify(message(counts, content));

const START = chunkFrame({ type: 'message_start', message: message(usage(1000, 1), []) });
const BEGUN = [
  START,
  chunkFrame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  chunkFrame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'All well.' } }),
];
const STREAM = [
  ...BEGUN,
  chunkFrame({ type: 'content_block_stop', index: 0 }),
  chunkFrame({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 200 } }),
  chunkFrame({
    type: 'message_stop',
    'amazon-bedrock-invocationMetrics': { inputTokenCount: 1000, outputTokenCount: 200 },
  }),
];

const JSON_HEADERS = { 'content-type': 'application/json' };

/** 1,000 × 1,000 + 200 × 10,000 */
const PLAIN: Scenario['expected'] = {
  status: 'success',
  source: 'reported',
  tokensIn: 1000,
  tokensOut: 200,
  tokensCached: 0,
  costNanodollars: 3_000_000n,
};

export const bedrockInvoke: AccountingRows = {
  title: 'Bedrock InvokeModel',
  dialect: 'bedrock',
  secret: JSON.stringify(ACCESS_KEY),
  allow: ['llm bedrock-invoke/us.anthropic.claude-haiku-4-5*'],
  prices: {
    'bedrock-invoke/us.anthropic.claude-haiku-4-5*':
      '{ input: 1, cached_input: 0.1, cache_write: 1.25, output: 10, context_window: 10000 }',
  },
  rows: {
    whole: {
      request: WHOLE,
      answer: { status: 200, headers: JSON_HEADERS, chunks: [whole(usage(1000, 200))] },
      expected: PLAIN,
    },
    streamed: {
      request: STREAMED,
      answer: { status: 200, headers: EVENT_STREAM, chunks: STREAM },
      expected: PLAIN,
    },
    gzip: {
      request: WHOLE,
      answer: {
        status: 200,
        headers: { ...JSON_HEADERS, 'content-encoding': 'gzip' },
        chunks: [gzipSync(whole(usage(1000, 200)))],
      },
      expected: PLAIN,
    },
    'cached tokens': {
      request: WHOLE,
      answer: {
        status: 200,
        headers: JSON_HEADERS,
        chunks: [
          whole(
            usage(500, 200, {
              cache_read_input_tokens: 400,
              cache_creation_input_tokens: 100,
              cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 60 },
            }),
          ),
        ],
      },
      // 500 × 1,000 + 400 × 100 + 40 × 1,250 + 60 × 2,000 + 200 × 10,000
      expected: { ...PLAIN, tokensCached: 400, costNanodollars: 2_710_000n },
    },
    reasoning: {
      request: WHOLE,
      answer: {
        status: 200,
        headers: JSON_HEADERS,
        chunks: [
          whole(usage(1000, 200), [
            { type: 'thinking', thinking: 'Hm.', signature: 'x' },
            { type: 'text', text: 'All well.' },
          ]),
        ],
      },
      expected: PLAIN,
    },
    'hosted tool': { why: 'Bedrock runs none of the provider’s own tools in an invoke.' },
    disconnect: {
      request: STREAMED,
      answer: { status: 200, headers: EVENT_STREAM, chunks: BEGUN, staysOpen: true },
      // Input as reported at the start. Output: 9 bytes seen, 64 that may not have been.
      expected: {
        status: 'failure',
        source: 'estimated',
        tokensIn: 1000,
        tokensOut: 9 + 64,
        tokensCached: 0,
        costNanodollars: 1000n * 1_000n + 73n * 10_000n,
      },
    },
    'mid-stream error': {
      request: STREAMED,
      answer: {
        status: 200,
        headers: EVENT_STREAM,
        chunks: [
          START,
          chunkFrame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
        ],
      },
      // What the start reported: the input, and one token.
      expected: {
        status: 'failure',
        source: 'reported',
        tokensIn: 1000,
        tokensOut: 1,
        tokensCached: 0,
        costNanodollars: 1_010_000n,
      },
    },
  },
};
