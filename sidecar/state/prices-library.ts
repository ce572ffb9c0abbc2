// Rates from @pydantic/genai-prices, whose data comes bundled with the release that is installed: nothing is fetched.
// It finds the provider and the model and picks the price in force at a date; the sums are ours, because its are floats.
// What it finds counts only where it names the model (prices-names.ts), and where we can count all that it prices.

import {
  calcPrice,
  findProvider,
  type ModelPrice,
  type PriceCalculation,
  type TieredPrices,
} from '@pydantic/genai-prices';
import type { Upstream } from '../../contract/config/config.ts';
import { isNamedBy } from './prices-names.ts';
import { type Rate, type Rates, scaled, twice } from './prices-rates.ts';

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

/** They search in every call, at a fee that neither the library nor their answers state. */
const SEARCHES_UNASKED = /-search-(?:preview|api)/;

/** Null when the library knows no such model there, or prices it in a way we cannot read. */
export function libraryPrice(providerId: string, model: string, atMs: number): LibraryPrice | null {
  const found = calculate(providerId, model, atMs);
  const name = model.toLowerCase();
  if (!found || !isNamedBy(found.model.match, name) || SEARCHES_UNASKED.test(name)) return null;
  const rates = ratesOf(found.model_price, name, WITHOUT_FEE_AT[providerId] ?? []);
  if (!rates) return null;
  return {
    rates,
    contextWindow: windowOf(found),
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

const OTHER_INPUTS = ['input_audio_mtok', 'input_image_mtok', 'input_video_mtok'];

/** Hosted tools that cost the tokens they bring and nothing else: ai.google.dev/gemini-api/docs/pricing. */
const WITHOUT_FEE_AT: Readonly<Record<string, readonly string[]>> = {
  google: ['url_context', 'code_execution', 'file_search'],
};

/** Any other key prices what no usage counts here (spoken or painted output, citations, hours, pages): unpriced. */
const READABLE: ReadonlySet<string> = new Set([
  ...['input_mtok', 'cache_read_mtok', 'cache_write_mtok', 'cache_write_1h_mtok'],
  ...['output_mtok', 'output_reasoning_mtok'],
  ...['requests_kcount', 'web_searches_kcount', 'storage_searches_kcount'],
  ...[...OTHER_INPUTS, 'cache_audio_read_mtok', 'cache_image_read_mtok'],
]);

function ratesOf(price: ModelPrice, name: string, withoutFee: readonly string[]): Rates | null {
  const input = rateOf(price.input_mtok, PER_MILLION);
  if (!input || Object.keys(price).some((key) => price[key] !== undefined && !READABLE.has(key))) return null;
  const cacheWrite = rateOf(price.cache_write_mtok, PER_MILLION);
  const uses: Record<string, bigint> = Object.fromEntries(withoutFee.map((type) => [type, 0n]));
  for (const [type, key] of [
    ['web_search', 'web_searches_kcount'],
    ['file_search', 'storage_searches_kcount'],
  ] as const) {
    const fee = rateOf(price[key], PER_THOUSAND);
    if (fee) uses[type] = fee.base;
  }
  return {
    input,
    cachedInput: rateOf(price.cache_read_mtok, PER_MILLION),
    cacheWrite,
    // Whoever serves Claude has Anthropic's two lengths of cache, listed or not.
    cacheWriteHour:
      rateOf(price.cache_write_1h_mtok, PER_MILLION) ??
      (cacheWrite && name.includes('claude') ? twice(input) : null),
    output: rateOf(price.output_mtok, PER_MILLION),
    reasoning: rateOf(price.output_reasoning_mtok, PER_MILLION),
    audioInput: rateOf(price.input_audio_mtok, PER_MILLION),
    cachedAudioInput: rateOf(price.cache_audio_read_mtok, PER_MILLION),
    otherInputs: OTHER_INPUTS.map((key) => rateOf(price[key], PER_MILLION)).filter((rate) => rate !== null),
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

/** Anthropic's long-context beta: what a price with a tier beyond the listed window is for. */
const LONG_CONTEXT_WINDOW = 1_000_000;
const MILLION = 1_000_000;
/** Providers document 1,047,576, 1,048,576 and 1,050,000 where the library writes 1,000,000. */
const MILLION_AT_MOST = 1_050_000;

/** Windows the library leaves out: ai.google.dev/gemini-api/docs/models, input token limit. */
const UNLISTED_WINDOWS = [{ models: /^gemini-(?:2\.5|3|3\.\d)-pro(?:-|$)/, window: 1_048_576 }];

/** The most a context can hold, so that it may serve as a bound. */
function windowOf({ model, model_price }: PriceCalculation): number | null {
  const listed = model.context_window ?? UNLISTED_WINDOWS.find(({ models }) => models.test(model.id))?.window;
  if (listed === undefined) return null;
  const tiers = Object.values(model_price).flatMap((price) => (typeof price === 'object' ? price.tiers : []));
  const window = tiers.some(({ start }) => start >= listed) ? LONG_CONTEXT_WINDOW : listed;
  return window % MILLION === 0 ? (window / MILLION) * MILLION_AT_MOST : window;
}
