import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
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
  usageOf,
} from './prices-calls.ts';

const book = bookWith();
const mini = book.priceOf(OPENAI, 'gpt-5-mini', NOW)!;
const haiku = book.priceOf(ANTHROPIC, 'claude-haiku-4-5', NOW)!;

describe('the most a call could cost', () => {
  it('counts every choice, and what comes beside its limit', () => {
    // 1,000 × 250 + 2 × (4,096 + 4) × 2,000
    const request = requestOf({ inputTokensMax: 1000, choices: 2, outputTokensBesides: 4 });
    expect(book.bound(mini, request, 4096)).toEqual({ nanodollars: 16_650_000n, tokens: 9200n });
  });

  it('BUD-28: takes input at its dearest: as if all were written to a cache for an hour', () => {
    // 1,000 × 2,000 + 100 × 5,000
    expect(book.bound(haiku, requestOf({ inputTokensMax: 1000 }), 100)?.nanodollars).toBe(2_500_000n);
  });

  it('takes a tier for long input only where the input can be so long', () => {
    const sonnet = book.priceOf(ANTHROPIC, 'claude-sonnet-4-5', NOW)!;
    const bound = (inputTokensMax: number) =>
      book.bound(sonnet, requestOf({ inputTokensMax }), 1)?.nanodollars;
    expect(bound(200_000)).toBe(200_000n * 6_000n + 15_000n);
    expect(bound(200_001)).toBe(200_001n * 12_000n + 22_500n);
  });

  it('reads the input again for each use of a hosted tool, and adds its fee', () => {
    // 3 × 1,000 × 250 + 2 × 10,000,000
    const request = requestOf({
      inputTokensMax: 1000,
      hostedTools: ['web_search', 'file_search'],
      hostedUsesMax: 2,
    });
    expect(book.bound(mini, request, 0)).toEqual({ nanodollars: 20_750_000n, tokens: 3000n });
  });

  it('never reads more of a conversation than its window, but of a batch all', () => {
    const tokens = (operation: 'chat' | 'embeddings') =>
      book.bound(
        haiku,
        requestOf({
          inputTokensMax: 9_000_000,
          endpoint: { operation, billed: 'tokens', name: operation, body: 'object' },
        }),
        0,
      )?.tokens;
    expect(tokens('chat')).toBe(200_000n);
    expect(tokens('embeddings')).toBe(9_000_000n);
  });

  it('is the whole window where input is given by reference', () => {
    const request = requestOf({ inputTokensMax: 'context_window' });
    expect(book.bound(mini, request, 0)?.tokens).toBe(400_000n);
    const tuned = book.priceOf(OPENAI, 'ft:gpt-4o-2024-08-06:acme::x1', NOW)!;
    expect(tuned.contextWindow).toBeNull();
    expect(book.bound(tuned, request, 0)).toBeNull();
  });

  // The library writes 1,000,000 for gpt-4.1, whose window is 1,047,576, and the short one for claude-sonnet-4-5.
  it.each([
    [OPENAI, 'gpt-4.1', 1_047_576],
    [ANTHROPIC, 'claude-sonnet-4-5', 1_000_000],
  ])('takes a window at its most: %#', (upstream, model, window) => {
    expect(book.priceOf(upstream, model, NOW)!.contextWindow).toBeGreaterThanOrEqual(window);
  });

  it.each([
    { unmeterable: 'background mode' },
    { serviceTier: 'flex' },
    { hostedTools: ['code_interpreter'] },
    { hostedTools: ['web_search', 'image_generation'] },
  ])('is unknown for %j', (request) => {
    expect(book.bound(mini, requestOf(request), 100)).toBeNull();
  });

  it('of a free model is nothing, but tokens', () => {
    const free = bookWith(overrideOf('anthropic/local-*', { free: true }));
    const price = free.priceOf(ANTHROPIC, 'local-llama', NOW)!;
    expect(free.bound(price, requestOf({ inputTokensMax: 70, serviceTier: 'flex' }), 30)).toEqual({
      nanodollars: 0n,
      tokens: 100n,
    });
  });

  it('writes no output limit that a short window has no room for', () => {
    expect(mini.maxOutput).toBe(16_384);
    expect(book.priceOf(OPENAI, 'gpt-3.5-turbo', NOW)!.maxOutput).toBe(4096);
  });
});

const MODELS = [
  [OPENAI, 'gpt-5-mini'],
  [OPENAI, 'gpt-4.1-nano'],
  [OPENAI, 'gpt-5.5'],
  [OPENAI, 'gpt-6-luna'],
  [ANTHROPIC, 'claude-haiku-4-5'],
  [ANTHROPIC, 'claude-sonnet-4-5'],
  [ANTHROPIC, 'claude-3-haiku-20240307'],
] as const;

const tokens = fc.integer({ min: 0, max: 400_000 });
const aUse = fc.record({
  named: fc.constantFrom(...MODELS),
  uncachedInputTokens: tokens,
  cachedInputTokens: tokens,
  outputTokens: tokens,
  reasoningTokens: tokens,
  written: tokens,
  writtenForAnHour: tokens,
  slack: fc.nat(1000),
});

type Use = typeof aUse extends fc.Arbitrary<infer Drawn> ? Drawn : never;

/** Only what the model's provider bills: OpenAI writes no cache before GPT-5.6, and none for an hour. */
const usageFrom = ({ named: [upstream], written, writtenForAnHour, ...counts }: Use) =>
  usageOf({
    ...counts,
    cacheWriteTokens: upstream === ANTHROPIC ? written : 0,
    cacheWriteHourTokens: upstream === ANTHROPIC ? writtenForAnHour : 0,
  });

describe('whatever a call uses', () => {
  it('costs no more than was held, if it keeps within what was described', () => {
    fc.assert(
      fc.property(aUse, fc.integer({ min: 1, max: 4 }), fc.nat(3), (drawn, choices, searches) => {
        const [upstream, model] = drawn.named;
        const price = book.priceOf(upstream, model, NOW)!;
        const inputTokensMax = Math.min(300_000, price.contextWindow!);
        const reads = inputTokensMax * (1 + searches);
        const usage = usageFrom(drawn);
        const read =
          usage.uncachedInputTokens +
          usage.cachedInputTokens +
          usage.cacheWriteTokens +
          usage.cacheWriteHourTokens;
        const perChoice = Math.ceil(usage.outputTokens / choices);
        fc.pre(read <= reads && price.rates.usePicodollars.web_search !== undefined);
        const request = requestOf({
          inputTokensMax,
          choices,
          hostedTools: ['web_search'],
          hostedUsesMax: searches,
        });
        const held = book.bound(price, request, perChoice)!;
        const used = { ...usage, hostedUses: { web_search: searches } };
        const charged = book.charge(upstream, price, model, answerOf({ model }), used)!;
        expect(charged.nanodollars).toBeLessThanOrEqual(held.nanodollars);
        expect(BigInt(read + usage.outputTokens)).toBeLessThanOrEqual(held.tokens);
      }),
      { numRuns: 500 },
    );
  });

  it("costs what the library's own floating sum says, to a nanodollar", () => {
    fc.assert(
      fc.property(aUse, (drawn) => {
        const [upstream, model] = drawn.named;
        const usage = usageFrom(drawn);
        const written = usage.cacheWriteTokens + usage.cacheWriteHourTokens;
        const theirs = calcPrice(
          {
            input_tokens: usage.uncachedInputTokens + usage.cachedInputTokens + written,
            cache_read_tokens: usage.cachedInputTokens,
            cache_write_tokens: written,
            cache_write_1h_tokens: usage.cacheWriteHourTokens,
            output_tokens: usage.outputTokens,
          },
          model,
          { providerId: upstream.name, timestamp: new Date(NOW) },
        )!;
        const ours = Number(costOf(book, upstream, model, usage)!);
        expect(Math.abs(ours - theirs.total_price * 1e9)).toBeLessThan(1);
      }),
      { numRuns: 500 },
    );
  });

  it('costs the exact fraction of a dollar, rounded up once', () => {
    const rate = fc.bigInt({ min: 0n, max: 10n ** 9n });
    fc.assert(
      fc.property(rate, rate, rate, tokens, tokens, tokens, (input, cached, output, a, b, c) => {
        const own = bookWith(
          overrideOf('openai/own', {
            inputPicodollars: input,
            cachedInputPicodollars: cached,
            outputPicodollars: output,
          }),
        );
        const usage = { uncachedInputTokens: a, cachedInputTokens: b, outputTokens: c };
        const cost = costOf(own, OPENAI, 'own', usage)!;
        // In dollars: numerator over 10¹². The charge is the least whole number of 10⁻⁹ that is not below it.
        const numerator = input * BigInt(a) + cached * BigInt(b) + output * BigInt(c);
        expect(cost * 1000n >= numerator && (cost - 1n) * 1000n < numerator).toBe(true);
      }),
    );
  });
});
