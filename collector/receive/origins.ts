// Pages of a browser at the OTLP door: only of origins the config names, and none by default. An origin that is not named
// hears no; one that is, may ask first (a preflight) and read the answer.
// Source: fetch.spec.whatwg.org, "CORS protocol".

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Unacceptable } from './unacceptable.ts';

const HEADERS = 'authorization, content-encoding, content-type';
const EXPOSED = 'retry-after, x-outrider-receipt';
const PREFLIGHT_SECONDS = '7200';

/** Lets a named origin read the answer. Throws Unacceptable 403 for a page of any other. */
export function greetOrigin(
  allowed: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (allowed.length > 0) response.setHeader('vary', 'origin');
  const { origin } = request.headers;
  if (origin === undefined) return;
  if (!allowed.includes(origin))
    throw new Unacceptable(403, 'pages of this origin may not send here: name it in otlp.allowed_origins');
  response.setHeader('access-control-allow-origin', origin);
  // `navigator.sendBeacon`, by which exporters in pages send where no header is set, asks for no less. Nothing here reads a cookie.
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-expose-headers', EXPOSED);
}

/** What a browser asks before it sends something other than a form. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined;
}

export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': HEADERS,
    'access-control-max-age': PREFLIGHT_SECONDS,
  });
  response.end();
}
