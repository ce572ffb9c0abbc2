// OpenAI beside `retry-after`: which of its buckets is empty and when it is full again, and the codes of a 429 that no
// waiting mends (developers.openai.com/api/docs/guides/error-codes, …/guides/spend-limits).

import { objectOrNull, stringOrNull } from '../counts.ts';
import type { AnswerHead, ReadThrottle } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { goDurationMs, retryAfterMs } from '../throttle.ts';

const SPENT = new Set([
  ...['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active', 'credit_balance_exhausted'],
  ...['organization_spend_limit_exceeded', 'project_spend_limit_exceeded'],
]);

export const throttle: ReadThrottle = (head, body, nowMs) => {
  const error = isObject(body) ? objectOrNull(body.error) : null;
  const spent = [error?.code, error?.type].some((word) => SPENT.has(stringOrNull(word) ?? ''));
  return { waitMs: retryAfterMs(head, nowMs) ?? resetMs(head), spent };
};

/** Until every empty bucket is full; a bucket with something left is not the reason. */
function resetMs(head: AnswerHead): number | null {
  const waits = ['requests', 'tokens']
    .filter((kind) => head.header(`x-ratelimit-remaining-${kind}`) === '0')
    .map((kind) => goDurationMs(head.header(`x-ratelimit-reset-${kind}`)))
    .filter((waitMs) => waitMs !== null);
  return waits.length > 0 ? Math.max(...waits) : null;
}
