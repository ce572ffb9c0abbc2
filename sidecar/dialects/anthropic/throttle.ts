// Anthropic beside `retry-after`: which of its buckets is empty and when it is full again, and the errors of a spent
// limit, which come as 429, 402 and 400 (platform.claude.com/docs: errors, rate limits, spend limits).

import { objectOrNull, stringOrNull } from '../counts.ts';
import type { AnswerHead, JsonObject, ReadThrottle } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { retryAfterMs } from '../throttle.ts';

const BUCKETS = ['requests', 'tokens', 'input-tokens', 'output-tokens'];
/** The organisation's or the workspace's own limit has no code, only these first words. */
const OWN_LIMIT = /^You have reached your specified (?:workspace )?API usage limits/;

export const throttle: ReadThrottle = (head, body, nowMs) => {
  const error = isObject(body) ? objectOrNull(body.error) : null;
  return {
    waitMs: retryAfterMs(head, nowMs) ?? resetMs(head, nowMs),
    spent: error !== null && isSpent(error),
  };
};

const isSpent = ({ type, details, message }: JsonObject): boolean =>
  type === 'billing_error' ||
  objectOrNull(details)?.error_code === 'enforced_spend_limit_reached' ||
  OWN_LIMIT.test(stringOrNull(message) ?? '');

function resetMs(head: AnswerHead, nowMs: number): number | null {
  const resets = BUCKETS.filter((bucket) => head.header(`anthropic-ratelimit-${bucket}-remaining`) === '0')
    .map((bucket) => Date.parse(head.header(`anthropic-ratelimit-${bucket}-reset`) ?? ''))
    .filter((resetAtMs) => !Number.isNaN(resetAtMs));
  return resets.length > 0 ? Math.max(...resets) - nowMs : null;
}
