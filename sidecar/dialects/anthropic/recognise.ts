// Which paths of an Anthropic-speaking upstream we know: the Messages API, its token counter and model list, and what
// clients ask to see whether anyone is there (`HEAD /api/hello`, `GET /`; Claude Code asks for the HEAD of its base URL).
// Before `/v1` may stand up to four segments that hold no version, for providers who serve this API under a path
// (`/anthropic/v1/messages`). Batches and files are unknown: what they cost is never seen here.

import type { Endpoint, RequestHead } from '../dialect.ts';

export const MESSAGES: Endpoint = { operation: 'chat', name: 'messages', body: true };
const COUNT_TOKENS: Endpoint = { operation: 'free', name: 'count_tokens', body: true };
const MODELS: Endpoint = { operation: 'free', name: 'models', body: false };
const MODEL: Endpoint = { operation: 'free', name: 'model', body: false };
const LIVENESS: Endpoint = { operation: 'free', name: 'liveness', body: false };

const PREFIX = '(?:/(?!v\\d)[A-Za-z0-9._~-]+){0,4}';
const POST_PATH = new RegExp(`^${PREFIX}/v1/messages(/count_tokens)?$`);
const MODELS_PATH = new RegExp(`^${PREFIX}/v1/models(/[^/]+)?$`);
const LIVENESS_PATH = new RegExp(`^(?:/|${PREFIX}/api/hello)$`);
/** Asked by HEAD alone: there is no body that could hold anything. */
const BASE_PATH = new RegExp(`^${PREFIX}/$`);

export function recognise({ method, path }: RequestHead): Endpoint | undefined {
  if (method === 'POST') {
    const posted = POST_PATH.exec(path);
    return posted ? (posted[1] === undefined ? MESSAGES : COUNT_TOKENS) : undefined;
  }
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (LIVENESS_PATH.test(path) || (method === 'HEAD' && BASE_PATH.test(path))) return LIVENESS;
  const models = method === 'GET' ? MODELS_PATH.exec(path) : null;
  if (!models) return undefined;
  return models[1] === undefined ? MODELS : MODEL;
}
