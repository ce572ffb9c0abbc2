// `prices:` of outrider.yaml: what the price library lacks or gets wrong. An entry wins over the library field by field;
// the most exact entry wins: the name, the name with a date behind it, the longest pattern, the upstream alone. Case is
// no way around one: the library knows GPT-5-Mini too.

import type { PriceOverride, Upstream } from '../../contract/config/config.ts';
import { withoutDate } from './prices-names.ts';
import { NO_CHARGE, type Rate, type Rates, twice } from './prices-rates.ts';

export function overrideFor(
  overrides: readonly PriceOverride[],
  upstream: Upstream,
  model: string,
): PriceOverride | null {
  let best: PriceOverride | null = null;
  let bestRank = 0;
  for (const override of overrides) {
    const rank = rankOf(override.target, upstream.name, model.toLowerCase());
    if (rank > bestRank) {
      best = override;
      bestRank = rank;
    }
  }
  return best;
}

const EXACT = 3_000_000;
const DATED = 2_000_000;
const PATTERN = 1_000;

/** 0: the entry is about something else. */
function rankOf(target: string, upstream: string, model: string): number {
  if (target === upstream) return 1;
  if (!target.startsWith(`${upstream}/`)) return 0;
  const named = target.slice(upstream.length + 1).toLowerCase();
  if (named === model) return EXACT;
  if (named.endsWith('*')) return model.startsWith(named.slice(0, -1)) ? PATTERN + named.length : 0;
  return withoutDate(model) === named ? DATED : 0;
}

/** The library's rates under the entry's. Null when the entry names none and the library knows none. */
export function overridden(override: PriceOverride, upstream: Upstream, library: Rates | null): Rates | null {
  if (override.free) return NO_CHARGE;
  const call = override.callNanodollars === null ? null : override.callNanodollars * 1000n;
  const own = {
    input: flat(override.inputPicodollars),
    cachedInput: flat(override.cachedInputPicodollars),
    cacheWrite: flat(override.cacheWritePicodollars),
    output: flat(override.outputPicodollars),
  };
  const namesTokens = Object.values(own).some((rate) => rate !== null);
  if (!library && !namesTokens)
    return call === null ? null : { ...NO_CHARGE, callPicodollars: call, free: false };
  const input = own.input ?? library?.input ?? null;
  const hour = own.input || !library?.cacheWriteHour ? hourOf(upstream, input) : library.cacheWriteHour;
  return {
    input,
    cachedInput: own.cachedInput ?? library?.cachedInput ?? null,
    cacheWrite: own.cacheWrite ?? library?.cacheWrite ?? null,
    cacheWriteHour: hour,
    output: own.output ?? library?.output ?? null,
    reasoning: own.output ? null : (library?.reasoning ?? null),
    audioInput: own.input ? null : (library?.audioInput ?? null),
    cachedAudioInput: own.cachedInput ? null : (library?.cachedAudioInput ?? null),
    otherInputs: library?.otherInputs ?? [],
    callPicodollars: call ?? library?.callPicodollars ?? 0n,
    usePicodollars: library?.usePicodollars ?? {},
    free: false,
  };
}

const flat = (picodollars: bigint | null): Rate | null =>
  picodollars === null ? null : { base: picodollars, tiers: [] };

/** The file has no key for writes that live an hour; on Bedrock too only Claude has them. */
const hourOf = (upstream: Upstream, input: Rate | null): Rate | null =>
  input && (upstream.speaks === 'anthropic' || upstream.speaks === 'bedrock') ? twice(input) : null;
