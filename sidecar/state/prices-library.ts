// Rates from @pydantic/genai-prices, whose data comes bundled with the release that is installed: nothing is fetched.
// It finds the provider and the model and picks the price in force at a date; the sums are ours, because its are floats.

import { calcPrice, findProvider, type ModelPrice, type TieredPrices } from '@pydantic/genai-prices';
import type { Upstream } from '../../contract/config/config.ts';
import { type Rate, type Rates, scaled } from './prices-rates.ts';

export interface LibraryPrice {
  readonly rates: Rates;
  readonly contextWindow: number | null;
  /** Its price depends on the date or the time of day. */
  readonly changes: boolean;
}

const PROVIDER_OF_DIALECT: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'google',
  bedrock: 'aws',
};

/** `priced_as`, else the upstream's name, else its url, else its dialect. Null when none is a provider of the library. */
export function providerOf(upstream: Upstream): string | null {
  if (upstream.pricedAs !== null) return findProvider({ providerId: upstream.pricedAs })?.id ?? null;
  const byName = findProvider({ providerId: upstream.name });
  // The library also finds `my-openai`; a name counts only when it is a provider's own.
  if (byName?.id === upstream.name) return byName.id;
  const byUrl = findProvider({ providerApiUrl: upstream.url });
  return byUrl?.id ?? PROVIDER_OF_DIALECT[upstream.speaks] ?? null;
}

/** Null when the library knows no such model there, or prices it in a way we cannot read. */
export function libraryPrice(providerId: string, model: string, atMs: number): LibraryPrice | null {
  const found = calculate(providerId, model, atMs);
  if (!found) return null;
  const rates = ratesOf(found.model_price);
  if (!rates) return null;
  return {
    rates,
    contextWindow: found.model.context_window ?? null,
    changes: Array.isArray(found.model.prices),
  };
}

function calculate(providerId: string, model: string, atMs: number) {
  try {
    return calcPrice({}, model, { providerId, timestamp: new Date(atMs) });
  } catch {
    return null; // its data holds a price it can't itself read
  }
}

/** $ per million tokens, × 10⁶ = picodollars per token; $ per thousand uses, × 10⁹ = picodollars per use. */
const PER_MILLION = 6;
const PER_THOUSAND = 9;

/** Classes whose tokens no answer counts apart: a model that has them is unpriced. */
const UNSEEN = ['output_citation_mtok'];

function ratesOf(price: ModelPrice): Rates | null {
  if (price.input_mtok === undefined || UNSEEN.some((key) => price[key] !== undefined)) return null;
  const uses: Record<string, bigint> = {};
  for (const [type, key] of [
    ['web_search', 'web_searches_kcount'],
    ['file_search', 'storage_searches_kcount'],
  ] as const) {
    const fee = rateOf(price[key], PER_THOUSAND);
    if (fee) uses[type] = fee.base;
  }
  return {
    input: rateOf(price.input_mtok, PER_MILLION),
    cachedInput: rateOf(price.cache_read_mtok, PER_MILLION),
    cacheWrite: rateOf(price.cache_write_mtok, PER_MILLION),
    cacheWriteHour: rateOf(price.cache_write_1h_mtok, PER_MILLION),
    output: rateOf(price.output_mtok, PER_MILLION),
    reasoning: rateOf(price.output_reasoning_mtok, PER_MILLION),
    callPicodollars: rateOf(price.requests_kcount, PER_THOUSAND)?.base ?? 0n,
    usePicodollars: uses,
    free: false,
  };
}

function rateOf(price: number | TieredPrices | undefined, power: number): Rate | null {
  if (price === undefined) return null;
  if (typeof price === 'number') {
    const base = scaled(price, power);
    return base === null ? null : { base, tiers: [] };
  }
  const base = scaled(price.base, power);
  const tiers = price.tiers
    .map((tier) => ({ start: tier.start, rate: scaled(tier.price, power) }))
    .sort((a, b) => a.start - b.start);
  if (base === null || tiers.some(({ rate }) => rate === null)) return null;
  return { base, tiers: tiers.map(({ start, rate }) => ({ start, rate: rate! })) };
}
