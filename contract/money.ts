// Money is an integer of nanodollars (10⁻⁹ $) in a bigint, never a float. Tokens are counted beside it, so that a
// budget in tokens is held, posted and released by the very same steps.

export const NANODOLLARS_PER_DOLLAR = 1_000_000_000n;

/** What a hold, a slice or a post amounts to, in both units at once. */
export interface Amounts {
  readonly nanodollars: bigint;
  readonly tokens: bigint;
}

export const NOTHING: Amounts = { nanodollars: 0n, tokens: 0n };

export const plus = (a: Amounts, b: Amounts): Amounts => ({
  nanodollars: a.nanodollars + b.nanodollars,
  tokens: a.tokens + b.tokens,
});

export const minus = (a: Amounts, b: Amounts): Amounts => ({
  nanodollars: a.nanodollars - b.nanodollars,
  tokens: a.tokens - b.tokens,
});

/** True when `a` fits into `b` in both units. */
export const fits = (a: Amounts, b: Amounts): boolean =>
  a.nanodollars <= b.nanodollars && a.tokens <= b.tokens;

export const isNothing = (a: Amounts): boolean => a.nanodollars === 0n && a.tokens === 0n;

const DOLLARS = /^\$(\d{1,12})(?:\.(\d{1,9}))?$/;

/** `$1.25` → 1250000000n. Undefined when it is not an exact amount of at most nine decimals. */
export function parseDollars(text: string): bigint | undefined {
  const match = DOLLARS.exec(text.trim());
  if (!match) return undefined;
  return BigInt(match[1]!) * NANODOLLARS_PER_DOLLAR + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** 1250000000n → `$1.25`; at least two decimals, no digit lost. */
export function formatDollars(nanodollars: bigint): string {
  const sign = nanodollars < 0n ? '-' : '';
  const absolute = nanodollars < 0n ? -nanodollars : nanodollars;
  const whole = absolute / NANODOLLARS_PER_DOLLAR;
  const fraction = (absolute % NANODOLLARS_PER_DOLLAR)
    .toString()
    .padStart(9, '0')
    .replace(/0{1,7}$/, '');
  return `${sign}$${whole}.${fraction}`;
}

/** On the wire both units are decimal strings: JSON numbers lose what is above 2⁵³. */
export interface AmountsMessage {
  readonly nanodollars: string;
  readonly tokens: string;
}

export const toMessage = (a: Amounts): AmountsMessage => ({
  nanodollars: a.nanodollars.toString(),
  tokens: a.tokens.toString(),
});

export const fromMessage = (m: AmountsMessage): Amounts => ({
  nanodollars: BigInt(m.nanodollars),
  tokens: BigInt(m.tokens),
});
