// How the control API says no: a status, a code to switch on, and one sentence. Everything else is the collector's own
// mistake, and its words go to the log.

import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** Thrown anywhere in a route; becomes `{"error":{"code","message"}}`. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: ContentfulStatusCode;
  readonly code: string;

  constructor(status: ContentfulStatusCode, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const badRequest = (message: string) => new ApiError(400, 'bad_request', message);

export function failureBody({ code, message }: { code: string; message: string }): {
  error: { code: string; message: string };
} {
  return { error: { code, message } };
}
