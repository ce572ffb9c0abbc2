// The console's page at `/` and its files under `/assets/`. They hold nothing of the fleet, so anyone may load them; what
// they show is asked for with the session's cookie.

import type { MiddlewareHandler } from 'hono';
import { type ConsoleFile, consoleAsset, consolePage } from '../edges/console-files.ts';

const NOT_BUILT = `The console is not built here. Build it with

  npm run console

and load this page again.
`;
const FOR_EVER = 'public, max-age=31536000, immutable';

/** Answers what is the console's, and leaves everything else to the next. */
export function serveConsole(): MiddlewareHandler {
  return async (context, next) => {
    const { path, method } = context.req;
    if (method !== 'GET' && method !== 'HEAD') return await next();
    const send = (file: ConsoleFile, cacheControl: string) => {
      context.header('content-type', file.contentType);
      context.header('cache-control', cacheControl);
      return context.body(file.body);
    };
    if (path === '/') {
      const page = await consolePage();
      return page ? send(page, 'no-store') : context.text(NOT_BUILT, 503);
    }
    const asset = path.startsWith('/assets/') ? await consoleAsset(path.slice('/assets/'.length)) : null;
    return asset ? send(asset, FOR_EVER) : await next();
  };
}
