// The sidecar's own door for people and machines beside it: health, readiness, metrics, what a rule would say, what is
// left to spend, and the end of a task. Loopback unless told otherwise; it never carries traffic.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { TaskEnd } from '../contract/budget.ts';
import { isLoopback } from '../kit/listen.ts';
import { sentenceOf } from '../kit/log.ts';
import type { BudgetReport } from './budget-report.ts';
import type { Explanation } from './explain.ts';

export interface AdminServices {
  /** What is missing for full service, e.g. `ledger`; empty when nothing is. */
  missing(): readonly string[];
  /** Why nothing may leave now; null when it may. */
  broken(): string | null;
  budget(): BudgetReport;
  /** Throws an Error with a sentence for a rule it cannot read or an agent it does not know. */
  explain(agent: string | null, subject: string): Explanation;
  endTask(task: string, end: TaskEnd): Promise<void>;
  metrics(): Promise<{ contentType: string; text: string }>;
}

const BODY_CHARACTERS_MAX = 64 * 1024;
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

export function createAdmin(use: AdminServices): Server {
  return createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, (request, response) => {
    if (isLoopback(request.socket.localAddress ?? '') && !LOOPBACK.test(request.headers.host ?? '')) {
      return answer(response, 403, {
        error: { code: 'host', message: 'This listener answers to localhost only.' },
      });
    }
    route(request, response, use).catch((failure) =>
      answer(response, 400, { error: { code: 'bad_request', message: sentenceOf(failure) } }),
    );
  });
}

async function route(request: IncomingMessage, response: ServerResponse, use: AdminServices): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://admin');
  const task = /^\/v1\/tasks\/([^/]+)$/.exec(url.pathname)?.[1];
  if (request.method === 'POST' && task !== undefined) {
    await use.endTask(decodeURIComponent(task), JSON.parse(await bodyOf(request)) as TaskEnd);
    return answer(response, 200, { ended: true });
  }
  if (request.method !== 'GET')
    return answer(response, 405, { error: { code: 'method', message: 'Only GET.' } });
  switch (url.pathname) {
    case '/healthz':
      return answer(response, 200, { status: 'ok' });
    case '/readyz':
      return readiness(response, use);
    case '/metrics': {
      const { contentType, text } = await use.metrics();
      response.writeHead(200, { 'content-type': contentType }).end(text);
      return;
    }
    case '/v1/budget':
      return answer(response, 200, use.budget());
    case '/v1/explain':
      return answer(
        response,
        200,
        use.explain(url.searchParams.get('agent'), url.searchParams.get('rule') ?? ''),
      );
    default:
      return answer(response, 404, {
        error: {
          code: 'not_found',
          message: 'Known: /healthz, /readyz, /metrics, /v1/budget, /v1/explain?rule=…, POST /v1/tasks/{id}.',
        },
      });
  }
}

function readiness(response: ServerResponse, use: AdminServices): void {
  const broken = use.broken();
  answer(response, broken === null ? 200 : 503, { ready: broken === null, broken, missing: use.missing() });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_CHARACTERS_MAX) throw new Error('The body is too large.');
  }
  return text === '' ? '{}' : text;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
