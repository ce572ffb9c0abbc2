import { describe, expect, it } from 'vitest';
import {
  ANTHROPIC,
  answerOf,
  bookWith,
  costOf,
  NOW,
  OPENAI,
  overrideOf,
  requestOf,
  SEARCH,
  upstreamOf,
  usageOf,
} from './prices-calls.ts';

const book = bookWith();

// Every figure here was worked out by hand from the providers' price pages: tokens × nanodollars per token.
describe('what a call cost', () => {
  it.each([
    // 1,000 × 250 + 500 × 25 + 200 × 2,000
    ['gpt-5-mini', { uncachedInputTokens: 1000, cachedInputTokens: 500, outputTokens: 200 }, 662_500n],
    // reasoning is part of the output: 10 × 250 + 200 × 2,000
    ['gpt-5-mini', { uncachedInputTokens: 10, outputTokens: 200, reasoningTokens: 190 }, 402_500n],
    // 12,345 × 2,000 + 6,789 × 500 + 987 × 8,000
    ['gpt-4.1', { uncachedInputTokens: 12_345, cachedInputTokens: 6789, outputTokens: 987 }, 35_980_500n],
    // 8,191 × 20, and × 130
    ['text-embedding-3-small', { uncachedInputTokens: 8191 }, 163_820n],
    ['text-embedding-3-large', { uncachedInputTokens: 8191 }, 1_064_830n],
    // no cached rate is listed, so a cached token is an input token: 7 × 15,000
    ['gpt-5-pro', { uncachedInputTokens: 4, cachedInputTokens: 3 }, 105_000n],
    // 100 × 250 + 3 searches × 10,000,000
    ['gpt-5-mini', { uncachedInputTokens: 100, hostedUses: { web_search: 3 } }, 30_025_000n],
    ['gpt-5-mini', {}, 0n],
  ])('%s %j', (model, usage, nanodollars) => {
    expect(costOf(book, OPENAI, model, usage)).toBe(nanodollars);
  });

  it.each([
    // 3 × 1,000 + 100,000 × 100 + 2,000 × 1,250 + 1,000 × 2,000 + 500 × 5,000
    [
      'claude-haiku-4-5-20251001',
      {
        uncachedInputTokens: 3,
        cachedInputTokens: 100_000,
        cacheWriteTokens: 2000,
        cacheWriteHourTokens: 1000,
        outputTokens: 500,
      },
      17_003_000n,
    ],
    // 10 × 5,000 + 40,000 × 500 + 8,000 × 6,250 + 1,234 × 25,000
    [
      'claude-opus-4-5',
      { uncachedInputTokens: 10, cachedInputTokens: 40_000, cacheWriteTokens: 8000, outputTokens: 1234 },
      100_900_000n,
    ],
    // to 200,000 tokens: × 3,000 and × 15,000
    ['claude-sonnet-4-5', { uncachedInputTokens: 200_000, outputTokens: 1000 }, 615_000_000n],
    // beyond, cached ones counted, all of them: 150,000 × 6,000 + 50,001 × 600 + 1,000 × 22,500
    [
      'claude-sonnet-4-5',
      { uncachedInputTokens: 150_000, cachedInputTokens: 50_001, outputTokens: 1000 },
      952_500_600n,
    ],
  ])('%s %j', (model, usage, nanodollars) => {
    expect(costOf(book, ANTHROPIC, model, usage)).toBe(nanodollars);
  });

  it('BUD-27: is rounded up once, not once per class', () => {
    // 37.5 nanodollars a token, in and out
    const odd = bookWith(overrideOf('openai/odd', { inputPicodollars: 37_500n, outputPicodollars: 37_500n }));
    expect(costOf(odd, OPENAI, 'odd', { uncachedInputTokens: 1 })).toBe(38n);
    expect(costOf(odd, OPENAI, 'odd', { uncachedInputTokens: 1, outputTokens: 1 })).toBe(75n);
  });

  it('has a fee per request where the provider takes one', () => {
    const perplexity = upstreamOf({ name: 'perplexity', url: 'https://api.perplexity.ai' });
    // $12 per thousand, and 10 × 1,000
    expect(costOf(book, perplexity, 'sonar', { uncachedInputTokens: 10 })).toBe(12_010_000n);
  });

  it('BUD-28: is unknown where a class, a tier or a tool has no rate', () => {
    expect(costOf(book, OPENAI, 'gpt-4.1', { cacheWriteTokens: 1 })).toBeNull();
    expect(costOf(book, OPENAI, 'text-embedding-3-small', { outputTokens: 1 })).toBeNull();
    expect(costOf(book, OPENAI, 'gpt-5-mini', { hostedUses: { code_interpreter: 1 } })).toBeNull();
    expect(costOf(book, OPENAI, 'gpt-5-mini', { hostedUses: { web_search_preview: 1 } })).toBeNull();
    expect(costOf(book, OPENAI, 'gpt-5-mini', { hostedUses: { code_interpreter: 0 } })).toBe(0n);
  });

  it.each([
    ['flex', null],
    ['priority', null],
    ['batch', null],
    ['default', 250n],
    ['standard', 250n],
  ])('answered in the tier %s', (serviceTier, nanodollars) => {
    const price = book.priceOf(OPENAI, 'gpt-5-mini', NOW)!;
    const usage = usageOf({ uncachedInputTokens: 1 });
    const charged = book.charge(OPENAI, price, 'gpt-5-mini', answerOf({ serviceTier }), usage);
    expect(charged?.nanodollars ?? null).toBe(nanodollars);
  });
});

describe('the price in force', () => {
  it('changes with the date, also for a model already looked up', () => {
    const usage = { uncachedInputTokens: 1 };
    const change = Date.UTC(2025, 5, 10);
    const asked = [change - 1, change, change - 1, NOW].map((at) => costOf(book, OPENAI, 'o3', usage, at));
    expect(asked).toEqual([10_000n, 2_000n, 10_000n, 2_000n]);
  });

  it('changes with the hour', () => {
    const deepseek = upstreamOf({ name: 'deepseek', url: 'https://api.deepseek.com' });
    const at = (hour: number, minute: number, ms = 0) =>
      costOf(
        book,
        deepseek,
        'deepseek-chat',
        { uncachedInputTokens: 1 },
        Date.UTC(2026, 9, 1, hour, minute, 0, ms),
      );
    expect([at(0, 29, 59_999), at(0, 30), at(16, 29, 59_999), at(16, 30)]).toEqual([135n, 270n, 270n, 135n]);
  });

  it('BUD-25: is, for the model that answers, the one of the moment the call was priced', () => {
    const before = Date.UTC(2025, 5, 9);
    const asked = book.priceOf(OPENAI, 'o4-mini', before)!;
    book.priceOf(OPENAI, 'o3', NOW);
    const usage = usageOf({ uncachedInputTokens: 1 });
    const charged = book.charge(OPENAI, asked, 'o4-mini', answerOf({ model: 'o3' }), usage);
    expect(charged).toEqual({ nanodollars: 10_000n, model: 'o3' });
  });
});

describe('another model answers', () => {
  const asked = book.priceOf(OPENAI, 'gpt-4.1', NOW)!;
  const charge = (model: string | null, usage = usageOf({ uncachedInputTokens: 10 })) =>
    book.charge(OPENAI, asked, 'gpt-4.1', answerOf({ model }), usage);

  it('BUD-26: and is dearer: it is charged', () => {
    expect(charge('gpt-5-pro')).toEqual({ nanodollars: 150_000n, model: 'gpt-5-pro' });
  });

  it.each(['gpt-5-mini', 'nobody-knows-it', null])(
    '%s, which is cheaper or unknown: the one asked for is',
    (model) => {
      expect(charge(model)).toEqual({ nanodollars: 20_000n, model: 'gpt-4.1' });
    },
  );

  it('and lacks a rate for what it used: there is no price', () => {
    expect(charge('text-embedding-3-small', usageOf({ outputTokens: 1 }))).toBeNull();
  });
});

describe('whose price it is', () => {
  const priced = (upstream: Parameters<typeof upstreamOf>[0], model: string) =>
    book.priceOf(upstreamOf(upstream), model, NOW) !== null;
  const local = { url: 'http://127.0.0.1:9', name: 'local' };

  it('the one named in priced_as, alone', () => {
    expect(priced({ ...local, pricedAs: 'groq' }, 'llama-3.3-70b-versatile')).toBe(true);
    expect(priced({ ...local, pricedAs: 'groq' }, 'gpt-5-mini')).toBe(false);
    expect(priced({ ...local, pricedAs: 'nobody' }, 'gpt-5-mini')).toBe(false);
  });

  it("of an ARN, the name's behind its slash", () => {
    const bedrock = {
      url: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
      name: 'local',
      speaks: 'bedrock',
    } as const;
    const arn = (kind: string, name: string) => `arn:aws:bedrock:eu-west-1:1:${kind}/${name}`;
    expect(priced(bedrock, arn('inference-profile', 'eu.amazon.nova-lite-v1:0'))).toBe(true);
    expect(priced(bedrock, arn('foundation-model', 'anthropic.claude-haiku-4-5-20251001-v1:0'))).toBe(true);
    expect(priced(bedrock, arn('application-inference-profile', 'ab12cd34'))).toBe(false);
  });

  it("else the upstream's name, its url, its dialect", () => {
    expect(priced({ ...local, name: 'groq' }, 'llama-3.3-70b-versatile')).toBe(true);
    expect(priced({ name: 'fast', url: 'https://api.groq.com/openai' }, 'llama-3.3-70b-versatile')).toBe(
      true,
    );
    expect(priced(local, 'gpt-5-mini')).toBe(true);
    expect(priced({ ...local, speaks: 'anthropic' }, 'claude-haiku-4-5')).toBe(true);
    expect(priced({ ...local, name: 'mistral' }, 'mistral-large-latest')).toBe(true);
    expect(priced({ ...local, name: 'mistral-mirror' }, 'mistral-large-latest')).toBe(false);
  });

  it("no one's where nothing but HTTP is spoken: free, unless the file says what a call costs", () => {
    const request = requestOf({ endpoint: { operation: null, billed: 'call', name: 'call', body: null } });
    const bound = (of: typeof book) => of.bound(of.priceOf(SEARCH, '', NOW)!, request, 0);
    expect(bound(book)).toEqual({ nanodollars: 0n, tokens: 0n });
    expect(bound(bookWith(overrideOf('search', { callNanodollars: 5_000_000n })))).toEqual({
      nanodollars: 5_000_000n,
      tokens: 0n,
    });
  });
});
