// What calls cost: the most one could, before it is sent, and what it did, once it is metered. A call is charged at the
// price in force when its hold was taken. Null always means unpriced: some part of it has no known rate.

import type { Config, PriceOverride, Upstream } from '../../contract/config/config.ts';
import type { Amounts } from '../../contract/money.ts';
import type { Description, Metered, Usage } from '../dialects/dialect.ts';
import { type LibraryPrice, libraryPrice, providerOf } from './prices-library.ts';
import { overridden, overrideFor } from './prices-overrides.ts';
import { costOf, dearestRate, feeOf, NO_CHARGE, type Rates, toNanodollars } from './prices-rates.ts';

export interface Price {
  readonly rates: Rates;
  /** Output limit written into a request that names none. */
  readonly maxOutput: number;
  /** Null when unknown. */
  readonly contextWindow: number | null;
  /** When it was looked up: the moment whose prices the call is charged at. */
  readonly atMs: number;
}

export interface PriceBook {
  /** Null when neither `prices:` nor the library knows the model. An upstream that speaks no LLM dialect costs nothing unless `prices:` says so. */
  priceOf(upstream: Upstream, model: string, atMs: number): Price | null;
  /** The most the call could cost and the most tokens it could use. Null when that has no bound or no rate. */
  bound(price: Price, description: Description, outputTokensMax: number): Amounts | null;
  /** Nanodollars of one use at one price. */
  cost(price: Price, usage: Usage): bigint | null;
  /** What an answered call is charged: the larger total if the model asked for and the one that answered are both priced. */
  charge(
    upstream: Upstream,
    price: Price,
    askedModel: string,
    metered: Metered,
    usage: Usage,
  ): { nanodollars: bigint; model: string } | null;
}

export const MAX_OUTPUT_DEFAULT = 16_384;
/** Where no context window is known: as large as any the library lists. */
export const CONTEXT_WINDOW_UNKNOWN = 2_000_000;
/** Names asked for under a pattern rule are the agent's choice; the cache is emptied when it holds so many. */
const CACHED_MODELS_MAX = 4_096;
/** A price that depends on the time is looked up anew each minute: its library's boundaries are whole minutes. */
const MINUTE_MS = 60_000;

const LLM_DIALECTS = new Set(['openai', 'anthropic', 'gemini', 'bedrock']);
const ORDINARY_TIERS = new Set(['default', 'standard', 'auto', 'on_demand']);

interface Entry {
  readonly price: Omit<Price, 'atMs'> | null;
  /** Null: holds at any time. */
  readonly minute: number | null;
}

export function createPriceBook(config: Config): PriceBook {
  const cache = new WeakMap<Upstream, Map<string, Entry>>();

  function cachedOf(upstream: Upstream): Map<string, Entry> {
    const known = cache.get(upstream);
    if (known) return known;
    const models = new Map<string, Entry>();
    cache.set(upstream, models);
    return models;
  }

  function priceOf(upstream: Upstream, model: string, atMs: number): Price | null {
    const minute = Math.floor(atMs / MINUTE_MS);
    const models = cachedOf(upstream);
    let entry = models.get(model);
    if (!entry || (entry.minute !== null && entry.minute !== minute)) {
      if (models.size >= CACHED_MODELS_MAX) models.clear();
      entry = lookUp(config.prices, upstream, model, atMs);
      models.set(model, entry);
    }
    return entry.price && { ...entry.price, atMs };
  }

  return {
    priceOf,
    bound,
    cost: (price, usage) => costOf(price.rates, usage),
    charge(upstream, price, askedModel, metered, usage) {
      if (!price.rates.free && hasOwnRate(metered.serviceTier)) return null;
      const asked = costOf(price.rates, usage);
      if (asked === null) return null;
      const answered = metered.model;
      if (answered === null || answered === askedModel) return { nanodollars: asked, model: askedModel };
      const answeredPrice = priceOf(upstream, answered, price.atMs);
      const cost = answeredPrice && costOf(answeredPrice.rates, usage);
      if (cost === null || cost < asked) return { nanodollars: asked, model: askedModel };
      return { nanodollars: cost, model: answered };
    },
  };
}

function lookUp(overrides: readonly PriceOverride[], upstream: Upstream, model: string, atMs: number): Entry {
  const override = overrideFor(overrides, upstream, model);
  const library = LLM_DIALECTS.has(upstream.speaks) ? fromLibrary(upstream, model, atMs) : null;
  const rates = override ? overridden(override, ownRates(upstream, library)) : ownRates(upstream, library);
  const minute = library?.changes ? Math.floor(atMs / MINUTE_MS) : null;
  if (!rates) return { price: null, minute };
  return {
    price: {
      rates,
      maxOutput: override?.maxOutput ?? MAX_OUTPUT_DEFAULT,
      contextWindow: override?.contextWindow ?? library?.contextWindow ?? null,
    },
    minute,
  };
}

function ownRates(upstream: Upstream, library: LibraryPrice | null): Rates | null {
  return LLM_DIALECTS.has(upstream.speaks) ? (library?.rates ?? null) : NO_CHARGE;
}

function fromLibrary(upstream: Upstream, model: string, atMs: number): LibraryPrice | null {
  const provider = providerOf(upstream);
  return provider === null || model === '' ? null : libraryPrice(provider, model, atMs);
}

function bound(price: Price, description: Description, outputTokensMax: number): Amounts | null {
  const { rates } = price;
  if (description.unmeterable !== null && !rates.free) return null;
  if (!rates.free && hasOwnRate(description.serviceTier)) return null;
  const fee = dearestFee(rates, description.hostedTools);
  if (fee === null) return null;
  const inputTokens = BigInt(inputBound(price, description)) * BigInt(1 + description.hostedUsesMax);
  const outputTokens =
    BigInt(outputTokensMax + description.outputTokensBesides) * BigInt(description.choices);
  const inputRate = dearestRate(
    [rates.input, rates.cachedInput, rates.cacheWrite, rates.cacheWriteHour],
    inputTokens,
  );
  const outputRate = dearestRate([rates.output, rates.reasoning], inputTokens);
  const input = owed(inputRate, inputTokens);
  const output = owed(outputRate, outputTokens);
  if (input === null || output === null) return null;
  const uses = fee * BigInt(description.hostedUsesMax);
  return {
    nanodollars: toNanodollars(input + output + uses + rates.callPicodollars),
    tokens: inputTokens + outputTokens,
  };
}

function inputBound({ contextWindow }: Price, { inputTokensMax }: Description): number {
  const window = contextWindow ?? CONTEXT_WINDOW_UNKNOWN;
  if (inputTokensMax === 'context_window') return window;
  return contextWindow === null ? inputTokensMax : Math.min(inputTokensMax, contextWindow);
}

const owed = (rate: bigint | null, tokens: bigint): bigint | null =>
  tokens === 0n ? 0n : rate === null ? null : rate * tokens;

function dearestFee(rates: Rates, hostedTools: readonly string[]): bigint | null {
  let dearest = 0n;
  for (const tool of hostedTools) {
    const fee = feeOf(rates, tool);
    if (fee === null) return null;
    if (fee > dearest) dearest = fee;
  }
  return dearest;
}

const hasOwnRate = (tier: string | null): boolean => tier !== null && !ORDINARY_TIERS.has(tier);
