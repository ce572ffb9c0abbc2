// People come in by a one-time link: POST /v1/sessions makes it, GET /login turns it into a cookie. The cookie is for
// this collector's console alone: HttpOnly, SameSite=Strict, and named after the port, because browsers keep one jar for
// all ports of a host.

import type { Context, Handler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { SESSION_MS, type Sessions } from '../control/sessions.ts';
import { ApiError } from './failures.ts';
import type { ApiEnvironment } from './guards.ts';

export function cookieName(context: Context): string {
  const { protocol, port } = new URL(context.req.url);
  return `outrider-${port || (protocol === 'https:' ? '443' : '80')}`;
}

export function sessionCookie(context: Context): string | undefined {
  return getCookie(context, cookieName(context));
}

/** POST /v1/sessions */
export function makeLoginLink(sessions: Sessions): Handler<ApiEnvironment> {
  return async (context) => {
    const { code, expiresAtMs } = await sessions.makeLink(context.get('caller').sender);
    return context.json({ path: `/login?code=${code}`, expires_at: new Date(expiresAtMs).toISOString() });
  };
}

/**
 * GET /login?code=…: once. HEAD, which link previews send, uses nothing up. A link that is over leads to the page that
 * says how to get a fresh one.
 */
export function login(sessions: Sessions): Handler {
  return async (context) => {
    context.header('cache-control', 'no-store');
    if (context.req.method !== 'GET') return context.body(null, 204);
    const secret = await sessions.open(context.req.query('code') ?? '');
    if (secret === null) return context.redirect('/#/link-over', 303);
    setCookie(context, cookieName(context), secret, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: SESSION_MS / 1000,
      secure: new URL(context.req.url).protocol === 'https:',
    });
    return context.redirect('/', 303);
  };
}

/** GET /v1/sessions */
export function listSessions(sessions: Sessions): Handler {
  return (context) => context.json(sessions.list());
}

/** DELETE /v1/sessions/{id}; a browser signs out of its own with `current`. */
export function revokeSession(sessions: Sessions): Handler<ApiEnvironment> {
  return async (context) => {
    const { sender, session } = context.get('caller');
    const asked = context.req.param('id') ?? '';
    const id = asked === 'current' ? session : asked;
    if (id === null || !(await sessions.revoke(id, sender)))
      throw new ApiError(404, 'unknown_session', 'There is no such session, or it is over already.');
    if (id === session) deleteCookie(context, cookieName(context), { path: '/' });
    return context.json({});
  };
}
