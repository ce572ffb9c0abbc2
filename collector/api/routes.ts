// The control API's table of contents: for sidecars, tools and people. Every `/v1` call carries the join token.

import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { streamSSE } from 'hono/streaming';
import type { z } from 'zod';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { openapi } from './openapi.ts';
import type { ApiServices } from './services.ts';
import { heartbeat, leaseRequest, taskEnd } from './shapes.ts';

const BODY_BYTES_MAX = 1024 * 1024;
const KEEP_ALIVE_MS = 15_000;

/** `hosts` are the names this listener answers to, without port; null answers to any (it is bound beyond loopback). */
export function createApi(use: ApiServices, log: Log, hosts: ReadonlySet<string> | null): Hono {
  const api = new Hono();
  api.onError((failure, context) => {
    if (failure instanceof BadShape) return refuse(context, 400, 'bad_request', failure.message);
    log.error('api.failed', { path: context.req.path, failure: sentenceOf(failure) });
    return refuse(context, 500, 'internal_error', sentenceOf(failure));
  });
  api.notFound((context) =>
    refuse(context, 404, 'not_found', `There is no ${context.req.path}; see /v1/openapi.json.`),
  );

  api.use(async (context, next) => {
    const host = (context.req.header('host') ?? '').replace(/:\d+$/, '').toLowerCase();
    if (hosts && !hosts.has(host))
      return refuse(context, 403, 'host', 'This listener answers to localhost only.');
    return next();
  });
  api.get('/healthz', (context) => context.json({ status: 'ok' }));
  api.get('/readyz', (context) => {
    const missing = use.missing();
    return context.json({ ready: missing.length === 0, missing }, missing.length === 0 ? 200 : 503);
  });
  api.get('/metrics', async (context) => {
    const { contentType, text } = await use.metrics();
    return context.text(text, 200, { 'content-type': contentType });
  });
  api.get('/v1/openapi.json', (context) => context.json(openapi));

  api.use('/v1/*', async (context, next) => {
    const token = /^Bearer (.+)$/.exec(context.req.header('authorization') ?? '')?.[1] ?? null;
    if (use.authenticate(token) !== null) return next();
    const how =
      "Send the join token as `authorization: Bearer`: it is in the file `token` of the collector's data directory.";
    return refuse(context, 401, 'unknown_token', how);
  });
  api.use(
    '/v1/*',
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (context) =>
        refuse(context, 413, 'body_too_large', `A body has at most ${BODY_BYTES_MAX} bytes.`),
    }),
  );

  api.post('/v1/leases', async (context) =>
    context.json(await use.lease(await shaped(context, leaseRequest))),
  );
  api.get('/v1/budgets', async (context) => context.json(await use.budgets()));
  api.post('/v1/budgets/write-off', async (context) => context.json({ written_off: await use.writeOff() }));
  api.get('/v1/agents', async (context) => context.json(await use.agents()));
  api.post('/v1/agents', async (context) => {
    await use.heartbeat(await shaped(context, heartbeat));
    return context.json({ otlp: use.otlpUrl() });
  });
  api.post('/v1/tasks/:id', async (context) => {
    await use.endTask(context.req.param('id'), await shaped(context, taskEnd));
    return context.json({ ended: true });
  });
  api.get('/v1/events', (context) => events(context, use));
  return api;
}

/** Server-sent events: recalls for the instance named in the query, until it goes away. */
function events(context: Context, use: ApiServices): Response {
  const agent = context.req.query('agent') ?? '';
  const instance = context.req.query('instance') ?? '';
  return streamSSE(context, async (stream) => {
    let ended = false;
    const stop = use.onRecall(agent, instance, (recall) => {
      void stream.writeSSE({ event: 'recall', data: JSON.stringify(recall) });
    });
    stream.onAbort(() => {
      ended = true;
      stop();
    });
    while (!ended) {
      await stream.write(': here\n\n');
      await stream.sleep(KEEP_ALIVE_MS);
    }
  });
}

class BadShape extends Error {
  override name = 'BadShape';
}

async function shaped<T>(context: Context, shape: z.ZodType<T>): Promise<T> {
  const text = await context.req.text();
  const parsed = shape.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BadShape(
    `The body is not what ${context.req.path} takes: ${issue?.path.join('.') || 'body'}: ${issue?.message}.`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (failure) {
    if (failure instanceof SyntaxError) throw new BadShape('The body is not JSON.');
    throw failure;
  }
}

type ErrorStatus = 400 | 401 | 403 | 404 | 413 | 500;

function refuse(context: Context, status: ErrorStatus, code: string, message: string): Response {
  return context.json({ error: { code, message } }, status);
}
