// What the fake providers count for themselves, with price lists of their own: the other side of Outrider's books. A
// request is known by the span that its `traceparent` names, which is how the two are laid side by side.

export interface Served {
  readonly span: string;
  readonly trace: string;
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Empty where no model was asked. */
  readonly model: string;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** Billed: 0 for what failed. */
  readonly nanodollars: bigint;
}

export interface Bill {
  readonly served: readonly Served[];
  add(entry: Served): void;
  /** All that was billed, in nanodollars. */
  total(): bigint;
}

export function openBill(): Bill {
  const served: Served[] = [];
  return {
    served,
    add: (entry) => void served.push(entry),
    total: () => served.reduce((sum, { nanodollars }) => sum + nanodollars, 0n),
  };
}

/** List prices in nanodollars per token, typed from the providers' price pages and not from our library. */
const TOKEN_PRICES: Readonly<Record<string, { readonly input: bigint; readonly output: bigint }>> = {
  'gpt-4o': { input: 2_500n, output: 10_000n },
  'gpt-4o-mini': { input: 150n, output: 600n },
  'claude-3-5-haiku-20241022': { input: 800n, output: 4_000n },
  'claude-opus-4-20250514': { input: 15_000n, output: 75_000n },
};

export function priceOfTokens(model: string, tokensIn: number, tokensOut: number): bigint {
  const price = TOKEN_PRICES[model];
  if (!price) throw new Error(`The fake providers have no model ${model}.`);
  return price.input * BigInt(tokensIn) + price.output * BigInt(tokensOut);
}

/** Nanodollars per call of services that bill by the call; the configuration says the same in dollars. */
export const CALL_PRICES: Readonly<Record<string, bigint>> = {
  search: 5_000_000n,
  images: 50_000_000n,
  reports: 18_000_000_000n,
  adverts: 7_000_000_000n,
};

/** The span and trace of a `traceparent`; empty where there is none. */
export function spanOf(traceparent: unknown): { readonly trace: string; readonly span: string } {
  const [, trace = '', span = ''] = String(traceparent ?? '').split('-');
  return { trace, span };
}
