// Which paths of an Anthropic-speaking upstream we know: the Messages API, its batches, token counter and model list, and what
// clients ask to see whether anyone is there (`HEAD /api/hello`, `GET /`; Claude Code asks for the HEAD of its base URL).
// Before `/v1` may stand up to four segments that hold no version, for providers who serve this API under a path
// (`/anthropic/v1/messages`).

import type { Endpoint, RequestHead } from '../dialect.ts';

export const MESSAGES: Endpoint = { operation: 'chat', billed: 'tokens', name: 'messages', body: 'object' };
const BATCH: Endpoint = { operation: null, billed: 'tokens', name: 'batch', body: 'object' };
/** What looks at, stops or takes away a batch that another call has paid for. */
const BATCHES: Endpoint = { operation: null, billed: 'free', name: 'batches', body: null };
const COUNT_TOKENS: Endpoint = { operation: null, billed: 'free', name: 'count_tokens', body: 'object' };
const MODELS: Endpoint = { operation: null, billed: 'free', name: 'models', body: null };
const MODEL: Endpoint = { operation: null, billed: 'free', name: 'model', body: null };
const LIVENESS: Endpoint = { operation: null, billed: 'free', name: 'liveness', body: null };

const PREFIX = '(?:/(?!v\\d)[A-Za-z0-9._~-]+){0,4}';
const POST_PATH = new RegExp(`^${PREFIX}/v1/messages(/count_tokens|/batches)?$`);
const ID = '/[A-Za-z0-9_-]+';
const BATCHES_PATHS: Readonly<Record<string, RegExp>> = {
  GET: new RegExp(`^${PREFIX}/v1/messages/batches(?:${ID}(?:/results)?)?$`),
  POST: new RegExp(`^${PREFIX}/v1/messages/batches${ID}/cancel$`),
  DELETE: new RegExp(`^${PREFIX}/v1/messages/batches${ID}$`),
};
const POSTED: Readonly<Record<string, Endpoint>> = { '/count_tokens': COUNT_TOKENS, '/batches': BATCH };
const MODELS_PATH = new RegExp(`^${PREFIX}/v1/models(/[^/]+)?$`);
const LIVENESS_PATH = new RegExp(`^(?:/|${PREFIX}/api/hello)$`);
/** Asked by HEAD alone: there is no body that could hold anything. */
const BASE_PATH = new RegExp(`^${PREFIX}/$`);

export function recognise({ method, path }: RequestHead): Endpoint | undefined {
  if (method === 'POST') {
    const posted = POST_PATH.exec(path);
    if (posted) return posted[1] === undefined ? MESSAGES : POSTED[posted[1]];
  }
  if (BATCHES_PATHS[method]?.test(path)) return BATCHES;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (LIVENESS_PATH.test(path) || (method === 'HEAD' && BASE_PATH.test(path))) return LIVENESS;
  const models = method === 'GET' ? MODELS_PATH.exec(path) : null;
  if (!models) return undefined;
  return models[1] === undefined ? MODELS : MODEL;
}
