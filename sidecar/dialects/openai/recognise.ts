// Which paths of an OpenAI-speaking upstream we know. The rule: a prefix, then exactly one endpoint's path, where the
// prefix is empty, ends in a version segment (`/v1`, `/openai/v1`, `/api/paas/v4`), in `/v1beta/openai` (Gemini's
// compatible door), or is Azure's `/openai/deployments/<name>`; no prefix holds two versions. All else is unknown, and
// refused: an unmetered door to a provider is no door.

import type { Endpoint, RequestHead } from '../dialect.ts';

export const CHAT: Endpoint = { operation: 'chat', billed: 'tokens', name: 'chat', body: 'object' };
export const RESPONSES: Endpoint = { operation: 'chat', billed: 'tokens', name: 'responses', body: 'object' };
export const COMPLETIONS: Endpoint = {
  operation: 'text_completion',
  billed: 'tokens',
  name: 'completions',
  body: 'object',
};
export const EMBEDDINGS: Endpoint = {
  operation: 'embeddings',
  billed: 'tokens',
  name: 'embeddings',
  body: 'object',
};
const INPUT_TOKENS: Endpoint = { operation: null, billed: 'free', name: 'input_tokens', body: 'object' };
const MODELS: Endpoint = { operation: null, billed: 'free', name: 'models', body: null };
const MODEL: Endpoint = { operation: null, billed: 'free', name: 'model', body: null };

const POSTED: ReadonlyMap<string, Endpoint> = new Map([
  ['chat/completions', CHAT],
  ['responses', RESPONSES],
  ['responses/input_tokens', INPUT_TOKENS],
  ['completions', COMPLETIONS],
  ['embeddings', EMBEDDINGS],
]);

const VERSION = '/v\\d{1,2}';
const SEGMENT = '/(?!v\\d)[A-Za-z0-9._~-]+';
const DEPLOYMENT = '/openai/deployments/([A-Za-z0-9._~-]+)';
const PREFIX = `(?:(?:${SEGMENT}){0,4}${VERSION}|/v\\d{1,2}beta/openai|${DEPLOYMENT})?`;
/** The path of almost every call, found without a search. */
const USUAL: ReadonlyMap<string, Endpoint> = new Map(
  [...POSTED].map(([tail, endpoint]) => [`/v1/${tail}`, endpoint]),
);
const POST_PATH = new RegExp(`^${PREFIX}/(${[...POSTED.keys()].join('|')})$`);
const MODELS_PATH = new RegExp(`^${PREFIX}/models(/(?:[^/]+/){0,2}[^/]+)?$`);

export function recognise({ method, path }: RequestHead): Endpoint | undefined {
  if (method === 'POST') return USUAL.get(path) ?? POSTED.get(POST_PATH.exec(path)?.[2] ?? '');
  if (method !== 'GET') return undefined;
  const models = MODELS_PATH.exec(path);
  if (!models) return undefined;
  return models[2] === undefined ? MODELS : MODEL;
}

/** Azure names the model by its deployment in the path, and ignores the body's `model`. Null elsewhere. */
export function deploymentOf(path: string): string | null {
  if (!path.startsWith('/openai/deployments/')) return null;
  return POST_PATH.exec(path)?.[1] ?? null;
}
