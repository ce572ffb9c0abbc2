// Exact prices: rates are integers of picodollars (10⁻¹² $) per token, so that $0.25 per million tokens is 250,000 and
// nothing is ever rounded but a call's total, once, up to the next nanodollar.

import type { Usage } from '../dialects/metered.ts';

/** Long input can cost more per token, the whole call then: the last tier whose `start` the input exceeds. */
export interface Rate {
  readonly base: bigint;
  readonly tiers: readonly { readonly start: number; readonly rate: bigint }[];
}

/** Null: the class has no rate. */
export interface Rates {
  readonly input: Rate | null;
  readonly cachedInput: Rate | null;
  readonly cacheWrite: Rate | null;
  readonly cacheWriteHour: Rate | null;
  readonly output: Rate | null;
  /** Set only where reasoning costs other than output. */
  readonly reasoning: Rate | null;
  /** Of sound in the input, uncached and cached; set only where it costs other than text. */
  readonly audioInput: Rate | null;
  readonly cachedAudioInput: Rate | null;
  /** Of sound, pictures and film: the dearest is held, whatever an input turns out to be. */
  readonly otherInputs: readonly Rate[];
  readonly callPicodollars: bigint;
  /** Fee for one use of a hosted tool, by type. */
  readonly usePicodollars: Readonly<Record<string, bigint>>;
  readonly free: boolean;
}

const ZERO: Rate = { base: 0n, tiers: [] };

/** Anthropic's writes that live an hour cost twice the input: docs.anthropic.com, prompt caching. */
export const twice = (rate: Rate): Rate => ({
  base: rate.base * 2n,
  tiers: rate.tiers.map((tier) => ({ ...tier, rate: tier.rate * 2n })),
});

export const NO_CHARGE: Rates = {
  input: ZERO,
  cachedInput: ZERO,
  cacheWrite: ZERO,
  cacheWriteHour: ZERO,
  output: ZERO,
  reasoning: null,
  audioInput: null,
  cachedAudioInput: null,
  otherInputs: [],
  callPicodollars: 0n,
  usePicodollars: {},
  free: true,
};

/** Hosted tools that cost tokens alone. */
const WITHOUT_FEE = new Set(['mcp', 'web_fetch', 'tool_search']);

/** `web_search_20250305`, `web_search_2025_08_26`; but `web_search_preview` is another tool, with other fees. */
const VERSION = /_20\d{2}_?\d{2}_?\d{2}$/;

/** Fee for one use of a hosted tool; null when no rate is known. */
export function feeOf(rates: Rates, hostedTool: string): bigint | null {
  const type = hostedTool.replace(VERSION, '');
  if (rates.free || WITHOUT_FEE.has(type)) return 0n;
  return Object.hasOwn(rates.usePicodollars, type) ? rates.usePicodollars[type]! : null;
}

/** What a use cost, in nanodollars, rounded up once; null when a class that was used has no rate. */
export function costOf(rates: Rates, usage: Usage): bigint | null {
  if (rates.free) return 0n;
  const written = usage.cacheWriteTokens + usage.cacheWriteHourTokens;
  const inputTokens = usage.uncachedInputTokens + usage.cachedInputTokens + written;
  const reasoning = rates.reasoning ? Math.min(usage.reasoningTokens, usage.outputTokens) : 0;
  const audio = rates.audioInput ? Math.min(usage.audioInputTokens ?? 0, usage.uncachedInputTokens) : 0;
  const cachedAudio = rates.cachedAudioInput
    ? Math.min(usage.cachedAudioInputTokens ?? 0, usage.cachedInputTokens)
    : 0;
  const parts = [
    amount(rates.input, usage.uncachedInputTokens - audio, inputTokens),
    amount(rates.audioInput, audio, inputTokens),
    amount(rates.cachedAudioInput, cachedAudio, inputTokens),
    // Without a rate of its own a cached token is an input token: reading a cache is never dearer.
    amount(rates.cachedInput ?? rates.input, usage.cachedInputTokens - cachedAudio, inputTokens),
    amount(rates.cacheWrite, usage.cacheWriteTokens, inputTokens),
    amount(rates.cacheWriteHour, usage.cacheWriteHourTokens, inputTokens),
    amount(rates.output, usage.outputTokens - reasoning, inputTokens),
    amount(rates.reasoning, reasoning, inputTokens),
    ...Object.entries(usage.hostedUses).map(([type, uses]) => times(feeOf(rates, type), uses)),
  ];
  let sum = rates.callPicodollars;
  for (const part of parts) {
    if (part === null) return null;
    sum += part;
  }
  return toNanodollars(sum);
}

function amount(rate: Rate | null, tokens: number, inputTokens: number): bigint | null {
  if (tokens === 0) return 0n;
  return rate && BigInt(tokens) * rateAt(rate, inputTokens);
}

const times = (fee: bigint | null, uses: number): bigint | null =>
  uses === 0 ? 0n : fee === null ? null : fee * BigInt(uses);

/** The rate of a call whose input is `inputTokens` in all. */
export function rateAt(rate: Rate, inputTokens: number): bigint {
  let applies = rate.base;
  for (const tier of rate.tiers) if (inputTokens > tier.start) applies = tier.rate;
  return applies;
}

/** The dearest that any input up to `inputTokensMax` could be charged, over all the given classes; null without any rate. */
export function dearestRate(rates: readonly (Rate | null)[], inputTokensMax: bigint): bigint | null {
  let dearest: bigint | null = null;
  for (const rate of rates) {
    if (!rate) continue;
    for (const tier of [{ start: -1, rate: rate.base }, ...rate.tiers]) {
      if (inputTokensMax > tier.start && (dearest === null || tier.rate > dearest)) dearest = tier.rate;
    }
  }
  return dearest;
}

export const toNanodollars = (picodollars: bigint): bigint => (picodollars + 999n) / 1000n;

const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/**
 * `value` × 10^`power`, from its shortest decimal text, which is the text it was written as; what lies beyond is rounded
 * up. Null when it is no decimal of that form (negative, infinite).
 */
export function scaled(value: number, power: number): bigint | null {
  const match = DECIMAL.exec(String(value));
  if (!match) return null;
  const fraction = match[2] ?? '';
  const digits = BigInt(match[1]! + fraction);
  const shift = power - fraction.length + Number(match[3] ?? 0);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (digits + divisor - 1n) / divisor;
}
