// Google says how long to wait in the error's details (google.rpc.RetryInfo, google.rpc.QuotaFailure), not in a header.
// A stream of the JSON kind wraps its error in an array.

import { objectOrNull, stringOrNull } from '../counts.ts';
import type { Json, JsonObject, ReadThrottle } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { goDurationMs, retryAfterMs } from '../throttle.ts';

export const throttle: ReadThrottle = (head, body, nowMs) => {
  const details = detailsOf(Array.isArray(body) ? body[0] : body);
  const told = detail(details, 'google.rpc.RetryInfo')?.retryDelay;
  return {
    waitMs: goDurationMs(stringOrNull(told) ?? undefined) ?? retryAfterMs(head, nowMs),
    spent: isOfTheDay(detail(details, 'google.rpc.QuotaFailure')),
  };
};

function detailsOf(body: Json | undefined): readonly Json[] {
  const error = isObject(body) ? objectOrNull(body.error) : null;
  return Array.isArray(error?.details) ? error.details : [];
}

const detail = (details: readonly Json[], type: string): JsonObject | undefined =>
  details.filter(isObject).find((each) => each['@type'] === `type.googleapis.com/${type}`);

/** `GenerateRequestsPerDayPerProjectPerModel-FreeTier`: full again at midnight, however short the delay that is named. */
function isOfTheDay(failure: JsonObject | undefined): boolean {
  const violations = Array.isArray(failure?.violations) ? failure.violations : [];
  return violations.filter(isObject).some(({ quotaId }) => /PerDay/.test(stringOrNull(quotaId) ?? ''));
}
