// Bedrock's Converse: cached and written tokens stand beside the input's count, reasoning within the output's; a stream's
// usage comes in its last frame. At $1 in, $0.10 cached, $1.25 written ($2 for an hour), $10 out a million.

import { gzipSync } from 'node:zlib';
import { ACCESS_KEY, EVENT_STREAM, exceptionFrame, frame } from '../sdk/bedrock-wire.ts';
import type { AccountingRows, Scenario } from './scenario.ts';

const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1%3A0';
const BODY = {
  messages: [{ role: 'user', content: [{ text: 'Summarise the fleet.' }] }],
  inferenceConfig: { maxTokens: 500 },
};

const requestOf = (operation: string): Scenario['request'] => ({
  method: 'POST',
  path: `/model/${MODEL}/${operation}`,
  headers: { 'content-type': 'application/json' },
  body: BODY,
});
const WHOLE = requestOf('converse');
const STREAMED = requestOf('converse-stream');

const usage = (input: number, output: number, more: object = {}): object => ({
  inputTokens: input,
  outputTokens: output,
  totalTokens: input + output,
  ...more,
});

const whole = (counts: object, content: object[] = [{ text: 'All well.' }]): string =>
  JSON.stringify({
    output: { message: { role: 'assistant', content } },
    stopReason: 'end_turn',
    usage: counts,
    metrics: { latencyMs: 420 },
  });

const BEGUN = [
  frame('messageStart', { role: 'assistant' }),
  frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'All' } }),
  frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: ' well.' } }),
];
const STREAM = [
  ...BEGUN,
  frame('contentBlockStop', { contentBlockIndex: 0 }),
  frame('messageStop', { stopReason: 'end_turn' }),
  frame('metadata', { usage: usage(1000, 200), metrics: { latencyMs: 420 } }),
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

export const bedrockConverse: AccountingRows = {
  title: 'Bedrock Converse',
  dialect: 'bedrock',
  secret: JSON.stringify(ACCESS_KEY),
  allow: ['llm bedrock/us.anthropic.claude-haiku-4-5*'],
  prices: {
    'bedrock/us.anthropic.claude-haiku-4-5*':
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
      request: STREAMED,
      answer: {
        status: 200,
        headers: { ...EVENT_STREAM, 'content-encoding': 'gzip' },
        chunks: [gzipSync(Buffer.concat(STREAM))],
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
              cacheReadInputTokens: 400,
              cacheWriteInputTokens: 100,
              cacheDetails: [
                { ttl: '1h', inputTokens: 60 },
                { ttl: '5m', inputTokens: 40 },
              ],
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
            { reasoningContent: { reasoningText: { text: 'Hm.' } } },
            { text: 'All well.' },
          ]),
        ],
      },
      expected: PLAIN,
    },
    'hosted tool': {
      why: 'What `nova_grounding` and `nova_code_interpreter` cost is not told by any answer, so such a call is unpriced.',
    },
    disconnect: {
      request: STREAMED,
      answer: { status: 200, headers: EVENT_STREAM, chunks: BEGUN, staysOpen: true },
      // Input by its bound: 110 bytes but 35 of JSON, 8 for a message, 640 for the request. Output: 9 bytes seen, 64 that may not have been.
      expected: {
        status: 'failure',
        source: 'estimated',
        tokensIn: 110 - 35 + 8 + 640,
        tokensOut: 9 + 64,
        tokensCached: 0,
        costNanodollars: 723n * 1_000n + 73n * 10_000n,
      },
    },
    'mid-stream error': {
      request: STREAMED,
      answer: {
        status: 200,
        headers: EVENT_STREAM,
        chunks: [...BEGUN.slice(0, 2), exceptionFrame('modelStreamErrorException', 'The model failed.')],
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
