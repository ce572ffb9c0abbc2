// Google's prices as the library has them: tiers for long input, sound, thoughts, hosted tools. Every figure was worked
// out by hand from ai.google.dev/gemini-api/docs/pricing: tokens × nanodollars per token.

import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../contract/config/default-config.ts';
import { bookWith, costOf, NOW, overrideOf, requestOf, upstreamOf } from './prices-calls.ts';

const book = bookWith();
const GEMINI = defaultConfig().upstreams.get('gemini')!;
const VERTEX = upstreamOf({
  name: 'vertex',
  url: 'https://us-central1-aiplatform.googleapis.com',
  speaks: 'gemini',
});

describe('what a call cost', () => {
  it.each([
    // 600 × 300 + 400 × 30 + 200 × 2,500, thoughts within the 200
    [
      'gemini-2.5-flash',
      { uncachedInputTokens: 600, cachedInputTokens: 400, outputTokens: 200, reasoningTokens: 150 },
      692_000n,
    ],
    // 40 × 300 + 60 of sound × 1,000, 10 × 30 + 30 of sound × 100, 2 × 2,500
    [
      'gemini-2.5-flash',
      {
        uncachedInputTokens: 100,
        audioInputTokens: 60,
        cachedInputTokens: 40,
        cachedAudioInputTokens: 30,
        outputTokens: 2,
      },
      80_300n,
    ],
    // sound costs what text does where it has no rate of its own: 100 × 1,500
    ['gemini-3.5-flash', { uncachedInputTokens: 100, audioInputTokens: 60 }, 150_000n],
    // to 200,000 tokens: × 1,250 and × 10,000
    ['gemini-2.5-pro', { uncachedInputTokens: 200_000, outputTokens: 1000 }, 260_000_000n],
    // beyond, all of them: 150,000 × 2,500 + 50,001 × 250 + 1,000 × 15,000
    [
      'gemini-2.5-pro',
      { uncachedInputTokens: 150_000, cachedInputTokens: 50_001, outputTokens: 1000 },
      402_500_250n,
    ],
    // 2,048 × 150
    ['gemini-embedding-001', { uncachedInputTokens: 2048 }, 307_200n],
    // a page read costs the tokens it brought: 10 × 300
    [
      'gemini-2.5-flash',
      { uncachedInputTokens: 10, hostedUses: { url_context: 2, code_execution: 1 } },
      3_000n,
    ],
  ])('%s %j', (model, usage, nanodollars) => {
    expect(costOf(book, GEMINI, model, usage)).toBe(nanodollars);
    expect(costOf(book, VERTEX, model, usage)).toBe(nanodollars);
  });

  it('of Claude at Vertex is its own: 10 × 1,000 + 90 × 100 + 3 × 5,000', () => {
    const usage = { uncachedInputTokens: 10, cachedInputTokens: 90, outputTokens: 3 };
    expect(costOf(book, VERTEX, 'claude-haiku-4-5@20251001', usage)).toBe(34_000n);
  });

  it('is unknown for a search, and for models that paint or speak', () => {
    expect(costOf(book, GEMINI, 'gemini-2.5-flash', { hostedUses: { google_search: 1 } })).toBeNull();
    expect(book.priceOf(GEMINI, 'gemini-2.5-flash-image', NOW)).toBeNull();
    expect(book.priceOf(GEMINI, 'gemini-9-flash', NOW)).toBeNull();
  });

  it('of sound is the entry’s where the operator names one', () => {
    const own = bookWith(overrideOf('gemini/gemini-2.5-flash', { inputPicodollars: 1_000_000n }));
    const usage = { uncachedInputTokens: 100, audioInputTokens: 60 };
    expect(costOf(own, GEMINI, 'gemini-2.5-flash', usage)).toBe(100_000n);
  });
});

describe('the most a call could cost', () => {
  const boundOf = (model: string, description: object) =>
    book.bound(book.priceOf(GEMINI, model, NOW)!, requestOf(description), 1000);

  it('takes input for sound, which no request says it is not: 1,000 × 1,000 + 1,000 × 2,500', () => {
    expect(boundOf('gemini-2.5-flash', { inputTokensMax: 1000 })?.nanodollars).toBe(3_500_000n);
  });

  it('is a window at its dearest tier for what is given by reference: 1,048,576 × 2,500 + 1,000 × 15,000', () => {
    const bound = boundOf('gemini-2.5-pro', { inputTokensMax: 'context_window' });
    expect(bound?.nanodollars).toBe(1_048_576n * 2500n + 15_000_000n);
  });

  it('reads a window again for each round of a hosted tool', () => {
    const tools = { inputTokensMax: 'context_window', hostedTools: ['url_context'], hostedUsesMax: 10 };
    expect(boundOf('gemini-2.5-flash', tools)?.tokens).toBe(11n * 1_048_576n + 1000n);
  });
});
