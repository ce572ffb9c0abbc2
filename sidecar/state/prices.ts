// What a call may cost and did cost, exact. Rates come from the price library in this process (never fetched) and from
// the overrides of outrider.yaml; sums are picodollars in bigints, rounded up once per call to nanodollars.

import type { Config, Upstream } from '../../contract/config/config.ts';
import type { Amounts } from '../../contract/money.ts';
import type { Description, Metered, Usage } from '../dialects/dialect.ts';

export interface Price {
  /** Output tokens of one choice where a request names no limit. */
  readonly maxOutput: number;
  readonly contextWindow: number | null;
}

export interface PriceBook {
  /** Null: no price is known. An upstream that speaks `http` costs the `call` price of its override, else nothing. */
  priceOf(upstream: Upstream, model: string, atMs: number): Price | null;
  /** The most the call could cost, and its tokens. Null when that cannot be bounded. */
  bound(price: Price, description: Description, outputTokensMax: number): Amounts | null;
  /** What was used, at the larger total of the asked and the answered model. Null: something used has no rate. */
  charge(
    upstream: Upstream,
    asked: Price,
    askedModel: string,
    metered: Metered,
    usage: Usage,
  ): { nanodollars: bigint; model: string } | null;
}

export function createPriceBook(_config: Config): PriceBook {
  return { priceOf: () => null, bound: () => null, charge: () => null };
}
