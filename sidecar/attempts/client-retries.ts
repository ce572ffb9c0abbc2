// Clients that try again by themselves are left to it: two who retry the same call multiply. Each says so in a header of
// its own, on the first try too.
//
//   openai, @anthropic-ai/sdk (and their Python twins)   x-stainless-retry-count: 0, 1, 2
//   AWS SDK                                              amz-sdk-request: attempt=1; max=3
//   Vercel's ai                                          user-agent: … ai/7.0.0 …

import type { IncomingHttpHeaders } from 'node:http';

const STAINLESS = 'x-stainless-retry-count';
const AWS = 'amz-sdk-request';
const AWS_ATTEMPT = /^attempt=(\d{1,3})\b/;
const VERCEL = /(?:^| )ai\/\d/;

export const retriesItself = (headers: IncomingHttpHeaders): boolean =>
  headers[STAINLESS] !== undefined || headers[AWS] !== undefined || VERCEL.test(headers['user-agent'] ?? '');

/** How many times the client says it has tried this before; 0 where it says nothing. */
export function triesBefore(headers: IncomingHttpHeaders): number {
  const stainless = headers[STAINLESS];
  if (stainless !== undefined) return countIn(String(stainless));
  const aws = headers[AWS];
  return aws === undefined ? 0 : Math.max(0, countIn(AWS_ATTEMPT.exec(String(aws))?.[1] ?? '') - 1);
}

const countIn = (text: string): number => (/^\d{1,3}$/.test(text) ? Number(text) : 0);
