// What Anthropic's clients say of the API in headers: elsewhere the body says it, or nobody asks.

import type { RequestHead } from '../dialect.ts';

/** The betas that were asked for, in their order. */
export function betasOf({ headers }: RequestHead): string[] {
  const named = String(headers['anthropic-beta'] ?? '').split(',');
  return named.map((beta) => beta.trim()).filter((beta) => beta !== '');
}

/** Takes out each header of the API's own. */
export const withoutOwnHeaders = ({ headers }: RequestHead): Record<string, null> =>
  Object.fromEntries(
    Object.keys(headers)
      .filter((name) => name.startsWith('anthropic-'))
      .map((name) => [name, null]),
  );
