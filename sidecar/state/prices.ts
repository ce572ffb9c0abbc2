// What calls cost: the most one could, before it is sent, and what it did, once it is metered. A call is charged at the
// price in force when its hold was taken. Null always means unpriced: some part of it has no known rate.

import { speaksLlm } from '../../contract/attributes.ts';
import type { Config, PriceOverride, Upstream } from '../../contract/config/config.ts';
import type { Amounts } from '../../contract/money.ts';
import { type Description, holdsConversation } from '../dialects/dialect.ts';
import type { Metered, Usage } from '../dialects/metered.ts';
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
/** Tokens held where no window is known and none of them costs anything. */
export const CONTEXT_WINDOW_UNKNOWN = 2_000_000;
/** Names asked for under a pattern rule are the agent's choice; the cache is emptied when it holds so many. */
const CACHED_MODELS_MAX = 4_096;
/** A price that depends on the time is looked up anew each minute: its library's boundaries are whole minutes. */
const MINUTE_MS = 60_000;
/** Longer names are no model's, and nothing to keep. */
const MODEL_NAME_LENGTH_MAX = 256;

const ORDINARY_TIERS = new Set(['default', 'standard', 'standard_only', 'auto', 'on_demand']);

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
    if (model.length > MODEL_NAME_LENGTH_MAX) return null;
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
      const ofAsked = asked === null ? null : { nanodollars: asked, model: askedModel };
      const answered = metered.model;
      const answeredPrice =
        answered === null || answered === askedModel ? null : priceOf(upstream, answered, price.atMs);
      if (answered === null || !answeredPrice) return ofAsked;
      const cost = costOf(answeredPrice.rates, usage);
      // It answered, so where it lacks a rate there is no price, whatever the model asked for would have cost.
      if (cost === null) return null;
      if (ofAsked && ofAsked.nanodollars > cost) return ofAsked;
      return { nanodollars: cost, model: answered };
    },
  };
}

function lookUp(overrides: readonly PriceOverride[], upstream: Upstream, model: string, atMs: number): Entry {
  const override = overrideFor(overrides, upstream, model);
  const library = speaksLlm(upstream.speaks) ? fromLibrary(upstream, model, atMs) : null;
  const rates = override
    ? overridden(override, upstream, ownRates(upstream, library))
    : ownRates(upstream, library);
  const minute = library?.changes ? Math.floor(atMs / MINUTE_MS) : null;
  if (!rates) return { price: null, minute };
  const contextWindow = override?.contextWindow ?? library?.contextWindow ?? null;
  return {
    price: {
      rates,
      maxOutput: override?.maxOutput ?? outputDefault(contextWindow),
      contextWindow,
    },
    minute,
  };
}

/** The library lists no output limits; an old model with a short window refuses more than about a quarter of it. */
const outputDefault = (contextWindow: number | null): number =>
  Math.min(MAX_OUTPUT_DEFAULT, Math.floor((contextWindow ?? Number.POSITIVE_INFINITY) / 4));

function ownRates(upstream: Upstream, library: LibraryPrice | null): Rates | null {
  return speaksLlm(upstream.speaks) ? (library?.rates ?? null) : NO_CHARGE;
}

function fromLibrary(upstream: Upstream, model: string, atMs: number): LibraryPrice | null {
  const provider = providerOf(upstream);
  return provider === null || model === '' ? null : libraryPrice(provider, withoutArn(model), atMs);
}

/** An ARN of AWS's ends in the name that has a price: `arn:aws:bedrock:…:inference-profile/us.anthropic.claude-x`. */
const withoutArn = (model: string): string =>
  model.startsWith('arn:') ? model.slice(model.lastIndexOf('/') + 1) : model;

function bound(price: Price, description: Description, outputTokensMax: number): Amounts | null {
  const { rates } = price;
  if (description.unmeterable !== null && !rates.free) return null;
  if (!rates.free && hasOwnRate(description.serviceTier)) return null;
  const fee = dearestFee(rates, description.hostedTools);
  if (fee === null) return null;
  const input = inputBound(price, description);
  if (input === null) return null;
  const inputTokens = BigInt(input) * BigInt(1 + description.hostedUsesMax);
  const outputTokens =
    BigInt(outputTokensMax + description.outputTokensBesides) * BigInt(description.choices);
  const inputRate = dearestRate(
    [rates.input, rates.cachedInput, rates.cacheWrite, rates.cacheWriteHour, ...rates.otherInputs],
    inputTokens,
  );
  const outputRate = dearestRate([rates.output, rates.reasoning], inputTokens);
  const inputCost = owed(inputRate, inputTokens);
  const outputCost = owed(outputRate, outputTokens);
  if (inputCost === null || outputCost === null) return null;
  const uses = fee * BigInt(description.hostedUsesMax);
  return {
    nanodollars: toNanodollars(inputCost + outputCost + uses + rates.callPicodollars),
    tokens: inputTokens + outputTokens,
  };
}

/** A conversation is read up to the window; a batch of texts to embed or to complete may be many windows long. */
function inputBound(
  { contextWindow, rates }: Price,
  { inputTokensMax, endpoint }: Description,
): number | null {
  if (inputTokensMax === 'context_window')
    return contextWindow ?? (rates.free ? CONTEXT_WINDOW_UNKNOWN : null);
  const oneContext = holdsConversation(endpoint) && contextWindow !== null;
  return oneContext ? Math.min(inputTokensMax, contextWindow) : inputTokensMax;
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
