// OpenAI embeddings: input alone, in one answer. At $1 a million: 1,000 nanodollars a token.

import { gzipSync } from 'node:zlib';
import type { AccountingRows, Scenario } from './scenario.ts';

const REQUEST: Scenario['request'] = {
  method: 'POST',
  path: '/v1/embeddings',
  headers: { 'content-type': 'application/json' },
  body: { model: 'text-embedding-3-small', input: ['one', 'two'] },
};
const ANSWER = JSON.stringify({
  object: 'list',
  model: 'text-embedding-3-small',
  data: [0, 1].map((index) => ({ object: 'embedding', index, embedding: [0.25, -0.5] })),
  usage: { prompt_tokens: 20, total_tokens: 20 },
});
const HEADERS = { 'content-type': 'application/json' };

const PLAIN: Scenario['expected'] = {
  status: 'success',
  source: 'reported',
  tokensIn: 20,
  tokensOut: 0,
  tokensCached: 0,
  costNanodollars: 20_000n,
};
const WHOLE_ONLY = 'An embedding comes whole, and is neither cached nor thought about.';

export const openaiEmbeddings: AccountingRows = {
  title: 'OpenAI embeddings',
  dialect: 'openai',
  allow: ['llm openai/text-embedding-3-small'],
  prices: { 'openai/text-embedding-3-small': '{ input: 1, output: 0 }' },
  rows: {
    whole: {
      request: REQUEST,
      answer: { status: 200, headers: HEADERS, chunks: [ANSWER] },
      expected: PLAIN,
    },
    streamed: { why: WHOLE_ONLY },
    gzip: {
      request: REQUEST,
      answer: {
        status: 200,
        headers: { ...HEADERS, 'content-encoding': 'gzip' },
        chunks: [gzipSync(ANSWER)],
      },
      expected: PLAIN,
    },
    'cached tokens': { why: WHOLE_ONLY },
    reasoning: { why: WHOLE_ONLY },
    'hosted tool': { why: WHOLE_ONLY },
    disconnect: {
      request: REQUEST,
      answer: { status: 200, headers: HEADERS, chunks: [ANSWER.slice(0, 40)], staysOpen: true },
      // Input by its bound: 56 bytes.
      expected: {
        ...PLAIN,
        status: 'failure',
        source: 'estimated',
        tokensIn: 56,
        costNanodollars: 56_000n,
      },
    },
    'mid-stream error': { why: WHOLE_ONLY },
  },
};
