// A refusal as AWS's clients understand it: `{"message"}` and the exception's name in `x-amzn-errortype`. They retry by
// status (500, 502, 503, 504, 429) and by a few names, and know no header that forbids it: what must not be repeated gets
// a status and a name that none of them repeats, whatever its status is elsewhere.

import type { Refusal } from '../../../contract/refusals.ts';
import type { Asked, RefusalAnswer } from '../dialect.ts';

type Shape = readonly [status: number, errorType: string];

const THROTTLED: Shape = [429, 'ThrottlingException'];
const BY_STATUS: Readonly<Record<number, Shape>> = {
  400: [400, 'ValidationException'],
  401: [401, 'AccessDeniedException'],
  402: [402, 'ServiceQuotaExceededException'],
  403: [403, 'AccessDeniedException'],
  413: [413, 'ValidationException'],
  429: THROTTLED,
};
const UNAVAILABLE = 'ServiceUnavailableException';

export function refuse(refusal: Refusal, { callId }: Asked): RefusalAnswer {
  const { status, advice } = refusal.kind;
  const [shown, errorType] = shapeOf(refusal, status);
  const body = {
    ...refusal.detail.facts,
    message: `${refusal.message} ${advice}`,
    code: refusal.code,
    ...(refusal.detail.reason !== undefined && { reason: refusal.detail.reason }),
    call_id: callId,
  };
  return {
    status: shown,
    contentType: 'application/json',
    body: JSON.stringify(body),
    headers: { 'x-amzn-errortype': errorType, 'x-amzn-requestid': callId },
  };
}

function shapeOf({ mayRetry, code }: Refusal, status: number): Shape {
  if (status >= 500) {
    if (mayRetry) return [status, UNAVAILABLE];
    return code === 'upstream_timeout' ? [408, 'ModelTimeoutException'] : [424, 'ModelErrorException'];
  }
  if (mayRetry) return THROTTLED;
  return BY_STATUS[status] ?? [status, 'ValidationException'];
}
