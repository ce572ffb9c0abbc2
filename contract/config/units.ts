// Amounts with a unit, as people write them, to integers. Each function answers a value or a sentence that says how to
// write it; nothing goes through a float, so what is typed is what is meant.

import { NANODOLLARS_PER_DOLLAR, parseDollars } from '../money.ts';
import type { Budget, BudgetWindow, RateLimit } from './config.ts';

/** A value, or what to write instead. */
export type Read<Value> = { readonly value: Value } | { readonly mistake: string };

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE_UNITS_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
};
const TOKEN_UNITS: Readonly<Record<string, bigint>> = { '': 1n, k: 1000n, M: 1_000_000n, B: 1_000_000_000n };
const CALENDAR_WINDOWS = ['hour', 'day', 'week', 'month'] as const;
const RATE_WINDOWS_MS: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

export const DURATION_DAYS_MAX = 3660;
/** What a signed 64-bit column holds: every amount is kept in one. */
export const AMOUNT_MAX = 2n ** 63n - 1n;

/** `30s` → 30000. */
export function readDuration(text: string): Read<number> {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  const unit = DURATION_UNITS_MS[match?.[2] ?? ''];
  if (!match || unit === undefined) return { mistake: 'write a duration such as 500ms, 30s, 10m, 2h or 30d' };
  const ms = Number(match[1]) * unit;
  if (ms > DURATION_DAYS_MAX * DURATION_UNITS_MS.d!) return { mistake: `at most ${DURATION_DAYS_MAX}d` };
  return { value: ms };
}

/** `30d` → 30: retention is counted in whole days. */
export function readDays(text: string): Read<number> {
  const read = /^\d+d$/.test(text.trim()) ? readDuration(text) : { mistake: 'write whole days such as 30d' };
  return 'value' in read ? { value: read.value / DURATION_UNITS_MS.d! } : read;
}

/** `32MB` → 33554432: units are powers of 1024, as in nginx and ClickHouse. */
export function readSize(text: string): Read<number> {
  const match = /^(\d{1,9})\s?(B|KB|MB|GB|TB)$/i.exec(text.trim());
  const unit = SIZE_UNITS_BYTES[match?.[2]?.toUpperCase() ?? ''];
  if (!match || unit === undefined) return { mistake: 'write a size such as 512KB, 32MB or 4GB' };
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? { value: bytes } : { mistake: 'the size is too large' };
}

/** `2.5%` → 2.5. */
export function readPercent(text: string): Read<number> {
  const match = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text.trim());
  if (!match || Number(match[1]) > 100) return { mistake: 'write a percentage between 0% and 100%' };
  return { value: Number(match[1]) };
}

/** `$1.25` → nanodollars. */
export function readDollars(text: string): Read<bigint> {
  if (isNegative(text)) return { mistake: 'an amount cannot be negative' };
  const value = parseDollars(text);
  if (value === undefined) {
    const hint = text.includes(',') ? ', without thousands separators' : '';
    return { mistake: `write dollars such as $0, $10 or $0.005${hint}` };
  }
  return bounded(value, `at most $${AMOUNT_MAX / NANODOLLARS_PER_DOLLAR}`);
}

/** `$200/month`, `5M tokens/day`. */
export function readBudget(text: string): Read<Budget> {
  const [amount, window, ...rest] = text.split('/').map((part) => part.trim());
  const windows = CALENDAR_WINDOWS.join(', ');
  if (window === undefined) {
    return { mistake: `a budget needs a window, such as $200/month or 5M tokens/day (${windows})` };
  }
  if (rest.length > 0 || !CALENDAR_WINDOWS.some((known) => known === window)) {
    return { mistake: `a budget's window is one of ${windows}` };
  }
  return readLimit(amount ?? '', window as BudgetWindow);
}

/** `$10`, `500k tokens`: what one task may use. */
export function readTaskBudget(text: string): Read<Budget> {
  if (text.includes('/')) return { mistake: 'a task budget has no window: write $10 or 500k tokens' };
  return readLimit(text, 'task');
}

/** `60/minute` → 60 requests in 60000 ms. */
export function readRequestRate(text: string): Read<RateLimit> {
  return readRate(text, 'requests', '60/minute');
}

/** `200k/minute` → 200000 tokens in 60000 ms. */
export function readTokenRate(text: string): Read<RateLimit> {
  return readRate(text, 'tokens', '200k/minute');
}

function readRate(text: string, unit: RateLimit['unit'], example: string): Read<RateLimit> {
  const match = /^(\d{1,9})(k|M|B)?\/(second|minute|hour|day)$/.exec(text.trim());
  const windowMs = RATE_WINDOWS_MS[match?.[3] ?? ''];
  if (!match || windowMs === undefined)
    return { mistake: `write a rate such as ${example} (second, minute, hour, day)` };
  const count = Number(match[1]) * Number(TOKEN_UNITS[match[2] ?? '']);
  if (count === 0) return { mistake: 'must be more than zero' };
  return { value: { unit, count, windowMs } };
}

/** `1.25` dollars per million tokens → 1250000 picodollars per token, exactly. */
export function readPicodollars(text: string): Read<bigint> {
  if (isNegative(text)) return { mistake: 'a price cannot be negative' };
  const match = /^\$?(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (!match) return { mistake: 'write dollars per million tokens with at most six decimals, such as 1.25' };
  return { value: BigInt(match[1]!) * 1_000_000n + BigInt((match[2] ?? '').padEnd(6, '0')) };
}

function readLimit(amount: string, window: BudgetWindow): Read<Budget> {
  if (isNegative(amount)) return { mistake: 'a limit cannot be negative' };
  const read = amount.startsWith('$') ? readDollars(amount) : readTokens(amount);
  if ('mistake' in read) return read;
  return { value: { unit: amount.startsWith('$') ? 'nanodollars' : 'tokens', limit: read.value, window } };
}

function readTokens(amount: string): Read<bigint> {
  const match = /^(\d{1,19})(?:\.(\d{1,9}))?\s?([kMB]?) tokens?$/.exec(amount);
  const unit = TOKEN_UNITS[match?.[3] ?? ''];
  if (!match || unit === undefined) return { mistake: 'write an amount such as $200 or 5M tokens (k, M, B)' };
  const decimals = match[2] ?? '';
  const scaled = BigInt(match[1]! + decimals) * unit;
  const divisor = 10n ** BigInt(decimals.length);
  if (scaled % divisor !== 0n) return { mistake: 'a limit is a whole number of tokens' };
  return bounded(scaled / divisor, `at most ${AMOUNT_MAX} tokens`);
}

const bounded = (value: bigint, mistake: string): Read<bigint> =>
  value > AMOUNT_MAX ? { mistake } : { value };

const isNegative = (text: string): boolean => /^\s*(-|\$\s*-)/.test(text);
