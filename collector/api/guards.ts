// Who may speak to the control API at all: callers with a token whose kind may, or people with a session, under a name that
// is ours. A page in somebody's browser that made its own name point here (DNS rebinding) is refused by the name it uses; a
// page from elsewhere that borrows a person's cookie, by where it says it comes from.

import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { compileName } from '../../contract/rules/glob.ts';
import { AGENT_CLAIM, type TokenKind } from '../../contract/token.ts';
import { ownNames } from '../../kit/own-names.ts';
import type { Sessions } from '../control/sessions.ts';
import type { Bearer } from '../control/tokens.ts';
import { kindsFor } from './access.ts';
import { ApiError } from './failures.ts';
import { sessionCookie } from './sessions.ts';

export interface Caller {
  /** Who did it, for the record: the name of the join token, or `session:` and the session's id. */
  readonly sender: string;
  /** Of the token; a session reads. */
  readonly kind: TokenKind;
  /** The agents it speaks for, as patterns; null: all. */
  readonly agents: readonly string[] | null;
  /** The session's id, when it is a person with a browser. */
  readonly session: string | null;
  /** False once the token or session is over: a long answer ends then. */
  isInForce(): boolean;
}

export type Authenticate = (token: string) => Bearer | null;

export type ApiEnvironment = { Variables: { caller: Caller } };

/** Throws 401 unless `authorization: Bearer <token>` or the session's cookie holds one in force. */
export function authenticated(
  authenticate: Authenticate,
  sessions: Sessions,
): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const authorization = context.req.header('authorization');
    const caller =
      authorization === undefined
        ? callerByCookie(context, sessions)
        : callerByToken(authorization, authenticate);
    if (caller === null) {
      context.header('www-authenticate', 'Bearer');
      const message =
        'Show a join token: set OUTRIDER_TOKEN, or use the data directory that holds the file `token`.';
      throw new ApiError(401, 'unauthenticated', message);
    }
    context.set('caller', caller);
    // What one caller may see is nobody else's to find in a cache.
    context.header('cache-control', 'no-store');
    await next();
  };
}

function callerByToken(authorization: string, authenticate: Authenticate): Caller | null {
  const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
  const bearer = token === undefined ? null : authenticate(token);
  if (token === undefined || bearer === null) return null;
  const { name: sender, kind, claims } = bearer;
  const agents = claims[AGENT_CLAIM] ?? null;
  return { sender, kind, agents, session: null, isInForce: () => authenticate(token) !== null };
}

/** Throws 403 where the token is not of a kind that may ask this. What exists nowhere is nobody's to be refused. */
export function ofRightKind(): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const { kind, session } = context.get('caller');
    const route = matchedRoutes(context).findLast(({ method }) => method !== 'ALL');
    const kinds = route && kindsFor(route.method, route.path);
    const mayAct = session !== null && context.req.method === 'DELETE';
    if (kinds && !kinds.includes(kind) && !mayAct) throw refusalOf(kinds, context.get('caller'));
    await next();
  };
}

/** For what only some messages of a route ask. Throws 403. */
export function mustBe(kind: TokenKind, caller: Caller): void {
  if (caller.kind !== kind) throw refusalOf([kind], caller);
}

/** Throws 403 where the token speaks for other agents than this one. */
export function mustSpeakFor(agent: string, { agents }: Caller): void {
  if (agents === null || agents.some((pattern) => compileName(pattern)(agent))) return;
  throw new ApiError(403, 'wrong_agent', `The token shown speaks for ${agents.join(', ')} alone.`);
}

function refusalOf(kinds: readonly TokenKind[], { kind, session }: Caller): ApiError {
  if (session !== null)
    return new ApiError(403, 'not_for_sessions', 'This takes a join token; a session is for reading.');
  const needed = kinds.map((each) => `\`${each}\``).join(' or ');
  const message = `This takes a token of kind ${needed}; the one shown is of kind \`${kind}\`.`;
  return new ApiError(403, 'wrong_kind', message);
}

/** What a session may do beside reading: end sessions. Everything else takes a join token. */
const SESSION_ACTS = /^DELETE \/v1\/sessions\/[^/]+$/;

/**
 * A cookie comes along whoever asks, so where the question comes from must be seen: reading, not from another origin's
 * page; changing anything, only from a page of exactly this origin, which a browser names by itself. Throws 403.
 */
function callerByCookie(context: Context, sessions: Sessions): Caller | null {
  const cookie = sessionCookie(context);
  const session = cookie === undefined ? null : sessions.authenticate(cookie);
  if (session === null) return null;
  const reads = context.req.method === 'GET' || context.req.method === 'HEAD';
  const site = context.req.header('sec-fetch-site') ?? 'none';
  if (reads ? site !== 'same-origin' && site !== 'none' : !isOwnOrigin(context)) {
    throw new ApiError(403, 'foreign_origin', 'A session is only good for pages of this collector’s own.');
  }
  if (!reads && !SESSION_ACTS.test(`${context.req.method} ${context.req.path}`))
    throw new ApiError(403, 'not_for_sessions', 'This takes a join token; a session is for reading.');
  return {
    sender: `session:${session}`,
    kind: 'reader',
    agents: null,
    session,
    isInForce: () => sessions.authenticate(cookie ?? '') !== null,
  };
}

/** By host alone: who ends TLS in front of the collector makes `https` of what it sees as `http`. */
function isOwnOrigin(context: Context): boolean {
  const origin = context.req.header('origin') ?? '';
  return URL.canParse(origin) && new URL(origin).host === new URL(context.req.url).host;
}

/**
 * Throws 403 when Host, or the Origin a browser sends, is none of ours. `hosts` are names besides loopback's;
 * `anyAddress` lets every IP address in as well (no name, so nothing to rebind), for a listener beyond loopback.
 */
export function knownHosts(hosts: readonly string[], anyAddress: boolean): MiddlewareHandler {
  const names = ownNames(hosts, anyAddress);
  return async (context, next) => {
    const host = context.req.header('host') ?? '';
    const origin = context.req.header('origin');
    if (!names.hasHost(host) || (origin !== undefined && !names.hasUrl(origin))) {
      throw new ApiError(
        403,
        'unknown_host',
        'This address is not served here: use the one the collector listens on.',
      );
    }
    await next();
  };
}

/** Nothing an agent wrote may run: scripts and styles are the console's own files, and nothing may frame it. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

export function securityHeaders(): MiddlewareHandler {
  return async (context, next) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
    await next();
  };
}
