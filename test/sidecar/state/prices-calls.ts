// Upstreams, requests and answers with nothing in them but what a price test says.

import type { PriceOverride, Upstream } from '../../../contract/config/config.ts';
import { defaultConfig } from '../../../contract/config/default-config.ts';
import type { Description } from '../../../sidecar/dialects/dialect.ts';
import type { Metered, Usage } from '../../../sidecar/dialects/metered.ts';
import { createPriceBook, type PriceBook } from '../../../sidecar/state/prices.ts';

/** After every dated price that the tests name. */
export const NOW = Date.UTC(2026, 9, 1, 12);

export const upstreamOf = (upstream: Partial<Upstream>): Upstream => ({
  ...defaultConfig().upstreams.get('openai')!,
  ...upstream,
});

export const OPENAI = upstreamOf({});
export const ANTHROPIC = defaultConfig().upstreams.get('anthropic')!;
export const SEARCH = upstreamOf({ name: 'search', url: 'https://api.search.example', speaks: 'http' });

export const bookWith = (...prices: PriceOverride[]): PriceBook =>
  createPriceBook({ ...defaultConfig(), prices });

export const overrideOf = (target: string, price: Partial<PriceOverride>): PriceOverride => ({
  target,
  free: false,
  inputPicodollars: null,
  cachedInputPicodollars: null,
  cacheWritePicodollars: null,
  outputPicodollars: null,
  callNanodollars: null,
  maxOutput: null,
  contextWindow: null,
  ...price,
});

export const usageOf = (usage: Partial<Usage>): Usage => ({
  uncachedInputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteHourTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  hostedUses: {},
  ...usage,
});

export const requestOf = (description: Partial<Description>): Description => ({
  endpoint: { operation: 'chat', billed: 'tokens', name: 'chat', body: 'object' },
  model: null,
  stream: false,
  inputTokensMax: 0,
  outputTokensMax: null,
  outputTokensBesides: 0,
  choices: 1,
  toolsOffered: [],
  hostedTools: [],
  hostedArgs: [],
  requests: [],
  inputFile: null,
  outlivesAnswer: false,
  hostedUsesMax: 0,
  serviceTier: null,
  unmeterable: null,
  mustAskForUsage: false,
  acts: [],
  callsBack: [],
  rewritten: false,
  ...description,
});

export const answerOf = (metered: Partial<Metered>): Metered => ({
  usage: null,
  partial: null,
  outputBytesSeen: 0,
  model: null,
  responseId: null,
  finishReasons: [],
  serviceTier: null,
  toolRequests: [],
  errorType: null,
  complete: true,
  ...metered,
});

/** Nanodollars of `usage` where the model asked for answers; null: unpriced, by name or by a class it used. */
export function costOf(
  book: PriceBook,
  upstream: Upstream,
  model: string,
  usage: Partial<Usage>,
  atMs = NOW,
): bigint | null {
  const price = book.priceOf(upstream, model, atMs);
  const charged = price && book.charge(upstream, price, model, answerOf({ model }), usageOf(usage));
  return charged?.nanodollars ?? null;
}
