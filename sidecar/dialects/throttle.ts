// How long a provider asks to be left alone, as its answer says it. Every dialect reads the same HTTP headers; what
// providers say beside them stands in their own rooms.

import type { AnswerHead, ReadThrottle } from './dialect.ts';

/** RFC 9110 § 10.2.3, and the milliseconds that OpenAI, Azure and Anthropic's SDKs read first. */
export const readThrottle: ReadThrottle = (head, _body, nowMs) => ({
  waitMs: retryAfterMs(head, nowMs),
  spent: false,
});

export function retryAfterMs(head: AnswerHead, nowMs: number): number | null {
  const exact = numberIn(head.header('retry-after-ms'));
  if (exact !== null) return exact;
  const text = head.header('retry-after');
  const seconds = numberIn(text);
  if (seconds !== null) return seconds * 1000;
  const date = Date.parse(text ?? '');
  return Number.isNaN(date) ? null : date - nowMs;
}

/** `1s`, `6m0s`, `20ms`, `1h2m3.5s`: as Go prints durations. */
export function goDurationMs(text: string | undefined): number | null {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|h|m|s))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(amount) * UNITS_MS[unit!]!;
  return total;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const numberIn = (text: string | undefined): number | null =>
  text !== undefined && /^\s*-?\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : null;
