// Gemini: cached tokens lie within the prompt's count, thoughts and what hosted tools fed back outside of the others; the
// counts so far come with every chunk. At $1 in, $0.10 cached, $10 out a million: 1,000, 100 and 10,000 nanodollars a
// token.

import { gzipSync } from 'node:zlib';
import type { AccountingRows, Scenario } from './scenario.ts';

const BODY = {
  contents: [{ role: 'user', parts: [{ text: 'Summarise the fleet.' }] }],
  generationConfig: { maxOutputTokens: 500 },
};
const MODEL = '/v1beta/models/gemini-2.5-flash';

const requestOf = (method: string, body: object = BODY): Scenario['request'] => ({
  method: 'POST',
  path: `${MODEL}:${method}`,
  headers: { 'content-type': 'application/json' },
  body,
});
const WHOLE = 'generateContent';
const STREAMED = 'streamGenerateContent?alt=sse';

interface Counts {
  readonly cached?: number;
  readonly thoughts?: number;
  readonly fedBack?: number;
}

const usage = (prompt: number, candidates: number, { cached, thoughts, fedBack }: Counts = {}): object => ({
  promptTokenCount: prompt,
  candidatesTokenCount: candidates,
  totalTokenCount: prompt + candidates + (thoughts ?? 0) + (fedBack ?? 0),
  ...(cached && { cachedContentTokenCount: cached }),
  ...(thoughts && { thoughtsTokenCount: thoughts }),
  ...(fedBack && { toolUsePromptTokenCount: fedBack }),
});

const said = (text: string, counts: object, finishReason?: string): object => ({
  candidates: [
    { content: { parts: [{ text }], role: 'model' }, index: 0, ...(finishReason && { finishReason }) },
  ],
  usageMetadata: counts,
  modelVersion: 'gemini-2.5-flash',
  responseId: 'resp-1',
});
const event = (chunk: object): string => `data: ${JSON.stringify(chunk)}\r\n\r\n`;
const BEGINNING = [event(said('All', usage(1000, 1))), event(said(' well', usage(1000, 150)))];
const STREAM = [...BEGINNING, event(said('.', usage(1000, 200), 'STOP'))];

const JSON_HEADERS = { 'content-type': 'application/json; charset=UTF-8' };
const SSE_HEADERS = { 'content-type': 'text/event-stream' };
const whole = (counts: object): Scenario['answer'] => ({
  status: 200,
  headers: JSON_HEADERS,
  chunks: [JSON.stringify(said('All well.', counts, 'STOP'))],
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

export const gemini: AccountingRows = {
  title: 'Gemini',
  dialect: 'gemini',
  allow: ['llm gemini/gemini-2.5-flash', 'hosted gemini/url_context'],
  prices: {
    'gemini/gemini-2.5-flash': '{ input: 1, cached_input: 0.1, output: 10, context_window: 10000 }',
  },
  rows: {
    whole: { request: requestOf(WHOLE), answer: whole(usage(1000, 200)), expected: PLAIN },
    streamed: {
      request: requestOf(STREAMED),
      answer: { status: 200, headers: SSE_HEADERS, chunks: STREAM },
      expected: PLAIN,
    },
    gzip: {
      request: requestOf(STREAMED),
      answer: {
        status: 200,
        headers: { ...SSE_HEADERS, 'content-encoding': 'gzip' },
        chunks: [gzipSync(STREAM.join(''))],
      },
      expected: PLAIN,
    },
    'cached tokens': {
      request: requestOf(WHOLE),
      answer: whole(usage(1000, 200, { cached: 400 })),
      // 600 × 1,000 + 400 × 100 + 200 × 10,000
      expected: { ...PLAIN, tokensCached: 400, costNanodollars: 2_640_000n },
    },
    reasoning: {
      request: requestOf(WHOLE),
      answer: whole(usage(1000, 50, { thoughts: 150 })),
      expected: PLAIN,
    },
    'hosted tool': {
      request: requestOf(WHOLE, { ...BODY, tools: [{ urlContext: {} }] }),
      answer: whole(usage(1000, 200, { fedBack: 300 })),
      // what the page held is input: 1,300 × 1,000 + 200 × 10,000
      expected: { ...PLAIN, tokensIn: 1300, costNanodollars: 3_300_000n },
    },
    disconnect: {
      request: requestOf(STREAMED),
      answer: { status: 200, headers: SSE_HEADERS, chunks: BEGINNING, staysOpen: true },
      // As reported so far, which is more than 8 bytes seen and 64 that may not have been: 1,000 × 1,000 + 150 × 10,000
      expected: {
        status: 'failure',
        source: 'estimated',
        tokensIn: 1000,
        tokensOut: 150,
        tokensCached: 0,
        costNanodollars: 2_500_000n,
      },
    },
    'mid-stream error': {
      request: requestOf('streamGenerateContent'),
      answer: {
        status: 200,
        headers: JSON_HEADERS,
        chunks: [
          `[${JSON.stringify(said('All', usage(1000, 1)))}`,
          ',\r\n{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]',
        ],
      },
      // What was reported until then: 1,000 × 1,000 + 10,000
      expected: { ...PLAIN, status: 'failure', tokensOut: 1, costNanodollars: 1_010_000n },
    },
  },
};
