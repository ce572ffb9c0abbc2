// Who may speak to the control API at all: callers with a join token, under a name that is ours. A page in somebody's
// browser that made its own name point here (DNS rebinding) is refused by the name it uses.

import type { MiddlewareHandler } from 'hono';
import { ApiError } from './failures.ts';

export interface Caller {
  /** The name of the join token that was shown. */
  readonly sender: string;
}

export type ApiEnvironment = { Variables: { caller: Caller } };

/** Throws 401 unless `authorization: Bearer <join token>` holds a token in force. */
export function authenticated(
  authenticate: (token: string) => string | null,
): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(context.req.header('authorization') ?? '')?.[1];
    const sender = token === undefined ? null : authenticate(token);
    if (sender === null) {
      context.header('www-authenticate', 'Bearer');
      const message =
        'Show a join token: set OUTRIDER_TOKEN, or use the data directory that holds the file `token`.';
      throw new ApiError(401, 'unauthenticated', message);
    }
    context.set('caller', { sender });
    await next();
  };
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Throws 403 when Host, or the Origin a browser sends, is none of ours. `hosts` are names besides loopback's;
 * `anyAddress` lets every IP address in as well (no name, so nothing to rebind), for a listener beyond loopback.
 */
export function knownHosts(hosts: readonly string[], anyAddress: boolean): MiddlewareHandler {
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  const isOurs = (url: string): boolean => {
    if (!URL.canParse(url)) return false;
    const { hostname } = new URL(url);
    return (
      LOOPBACK.has(hostname) || known.has(hostname) || (anyAddress && /^(\[.*\]|[\d.]+)$/.test(hostname))
    );
  };
  return async (context, next) => {
    const host = context.req.header('host') ?? '';
    const origin = context.req.header('origin');
    if (/[/@?#\\]/.test(host) || !isOurs(`http://${host}`) || (origin !== undefined && !isOurs(origin))) {
      throw new ApiError(
        403,
        'unknown_host',
        'This address is not served here: use the one the collector listens on.',
      );
    }
    await next();
  };
}
