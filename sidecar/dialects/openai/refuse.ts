// A refusal as OpenAI's clients understand it: `{"error":{message,type,param,code}}`, with the refusal's own facts beside
// (platform.openai.com/docs/guides/error-codes). They raise it as an APIError with `code` and `type` set.

import type { Refusal } from '../../../contract/refusals.ts';
import type { Asked } from '../dialect.ts';

/** What their SDKs and frameworks branch on. */
const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  413: 'invalid_request_error',
  429: 'rate_limit_error',
};

export function refuse(
  refusal: Refusal,
  { callId }: Asked,
): { status: number; contentType: string; body: string } {
  const { status, advice } = refusal.kind;
  const error = {
    ...refusal.detail.facts,
    message: `${refusal.message} ${advice}`,
    type: TYPES[status] ?? 'server_error',
    param: null,
    code: refusal.code,
    ...(refusal.detail.reason !== undefined && { reason: refusal.detail.reason }),
    call_id: callId,
  };
  return { status, contentType: 'application/json', body: JSON.stringify({ error }) };
}
