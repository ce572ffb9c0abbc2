import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scaled } from '../../../sidecar/state/prices-rates.ts';
import { ANTHROPIC, bookWith, costOf, NOW, OPENAI, overrideOf, upstreamOf } from './prices-calls.ts';

const FINETUNE = overrideOf('openai/our-finetune', {
  inputPicodollars: 1_250_000n,
  cachedInputPicodollars: 125_000n,
  outputPicodollars: 10_000_000n,
  maxOutput: 16_384,
});
const flat = (target: string, inputPicodollars: bigint) => overrideOf(target, { inputPicodollars });
const ONE = { uncachedInputTokens: 1 };

describe('a price of the file', () => {
  it.each([
    ['our-finetune', 1250n],
    ['our-finetune-2026-01-31', 1250n],
    ['our-finetune-20260131', 1250n],
    ['Our-Finetune', 1250n],
    ['our-finetune-2026-13-31', null],
    ['our-finetune-2', null],
    ['our-finetune-large', null],
    ['our-finetun', null],
  ])('for our-finetune covers %s at %s', (model, nanodollars) => {
    expect(costOf(bookWith(FINETUNE), OPENAI, model, ONE)).toBe(nanodollars);
  });

  it('wins, the most exact one first, in whatever order they stand', () => {
    const prices = [
      flat('openai', 1000n),
      flat('openai/gpt-*', 2000n),
      flat('openai/gpt-5-*', 3000n),
      flat('openai/gpt-5-mini', 4000n),
      flat('other/gpt-5-mini', 9000n),
    ];
    const costs = (book: ReturnType<typeof bookWith>) =>
      ['gpt-5-mini', 'gpt-5-mini-2025-08-07', 'gpt-5-nano', 'gpt-4.1', 'o3'].map((model) =>
        costOf(book, OPENAI, model, ONE),
      );
    expect(costs(bookWith(...prices))).toEqual([4n, 4n, 3n, 2n, 1n]);
    expect(costs(bookWith(...prices.reverse()))).toEqual([4n, 4n, 3n, 2n, 1n]);
  });

  it('is no way around by capitals, which the library reads over', () => {
    const dear = bookWith(flat('openai/gpt-5-mini', 9_000_000n));
    expect(costOf(dear, OPENAI, 'GPT-5-Mini', ONE)).toBe(9000n);
  });

  it('leaves what it does not name to the library', () => {
    const book = bookWith(overrideOf('openai/gpt-5-mini', { maxOutput: 100, contextWindow: 5000 }));
    const price = book.priceOf(OPENAI, 'gpt-5-mini', NOW)!;
    expect([price.maxOutput, price.contextWindow]).toEqual([100, 5000]);
    expect(costOf(book, OPENAI, 'gpt-5-mini', ONE)).toBe(250n);
    expect(
      costOf(bookWith(flat('openai/gpt-5-mini', 1000n)), OPENAI, 'gpt-5-mini', { outputTokens: 1 }),
    ).toBe(2000n);
  });

  it("has Anthropic's twice the input for writes that live an hour", () => {
    const book = bookWith(flat('anthropic/claude-haiku-4-5', 3_000_000n));
    expect(costOf(book, ANTHROPIC, 'claude-haiku-4-5', { cacheWriteHourTokens: 1 })).toBe(6000n);
  });

  it('that only says a limit gives no price to a model without one', () => {
    const book = bookWith(overrideOf('openai/our-finetune', { maxOutput: 100 }));
    expect(book.priceOf(OPENAI, 'our-finetune', NOW)).toBeNull();
  });

  it('free covers everything', () => {
    const book = bookWith(overrideOf('openai/local-*', { free: true }));
    const usage = { uncachedInputTokens: 5, cacheWriteTokens: 5, outputTokens: 5, hostedUses: { shell: 1 } };
    expect(costOf(book, OPENAI, 'local-llama', usage)).toBe(0n);
  });
});

interface NameCase {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly priced: boolean;
}

const NAMES = readFileSync(new URL('../../cases/price-names.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as NameCase);

describe('a model of the library is priced only by its own name', () => {
  const book = bookWith();
  it.each(NAMES)('$id: $provider $model', ({ provider, model, priced }) => {
    expect(book.priceOf(upstreamOf({ pricedAs: provider }), model, NOW) !== null).toBe(priced);
  });

  it('a name as long as a body is none, and is not kept', () => {
    expect(book.priceOf(OPENAI, `gpt-5-nano-${'-2025-01-01'.repeat(100_000)}`, NOW)).toBeNull();
  });
});

describe('a decimal as its author wrote it', () => {
  it.each([
    [0.075, 75_000n],
    [0.1 + 0.2, 300_001n],
    [1.1, 1_100_000n],
    [1e-6, 1n],
    [1e-7, 1n],
    [1.5e-7, 1n],
    [0, 0n],
    [150, 150_000_000n],
    [1e21, 10n ** 27n],
    [0.08333333333333334, 83_334n],
    [-1, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
  ])('%d dollars per million is %s picodollars', (value, picodollars) => {
    expect(scaled(value, 6)).toBe(picodollars);
  });
});
