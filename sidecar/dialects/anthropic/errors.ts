// The kinds of error that Anthropic's clients know (platform.claude.com/docs/en/api/errors), and the shape they come in.

import type { JsonObject } from '../dialect.ts';

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export const errorTypeOf = (status: number): string => TYPES[status] ?? 'api_error';

export const errorBody = (error: JsonObject, requestId: string | null): JsonObject => ({
  type: 'error',
  error,
  ...(requestId !== null && { request_id: requestId }),
});
