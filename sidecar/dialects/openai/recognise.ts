// Which paths of an OpenAI-speaking upstream we know. The rule: a prefix, then exactly one endpoint's path, where the
// prefix is empty, ends in a version segment (`/v1`, `/openai/v1`, `/api/paas/v4`), in `/v1beta/openai` (Gemini's
// compatible door), or is Azure's `/openai` or `/openai/deployments/<name>`, behind up to two segments of a gateway's own;
// no prefix holds two versions. All else is
// unknown, and refused: an unmetered door to a provider is no door.

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
/** What the requests of a batch cost is bounded by what the file says that holds them. */
export const FILE_UPLOAD: Endpoint = { operation: null, billed: 'free', name: 'file_upload', body: 'bytes' };
export const BATCH: Endpoint = { operation: null, billed: 'tokens', name: 'batch', body: 'object' };
const INPUT_TOKENS: Endpoint = { operation: null, billed: 'free', name: 'input_tokens', body: 'object' };
const MODELS: Endpoint = { operation: null, billed: 'free', name: 'models', body: null };
const MODEL: Endpoint = { operation: null, billed: 'free', name: 'model', body: null };

const POSTED: ReadonlyMap<string, Endpoint> = new Map([
  ['chat/completions', CHAT],
  ['responses', RESPONSES],
  ['responses/input_tokens', INPUT_TOKENS],
  ['completions', COMPLETIONS],
  ['embeddings', EMBEDDINGS],
  ['files', FILE_UPLOAD],
  ['batches', BATCH],
]);

/** What looks at, stops or takes away what another call has paid for. */
const aside = (name: string): Endpoint => ({ operation: null, billed: 'free', name, body: null });
const RESPONSE = aside('response');
const FILES = aside('files');
const BATCHES = aside('batches');

const VERSION = '/v\\d{1,2}';
const SEGMENT = '/(?!v\\d)[A-Za-z0-9._~-]+';
const AZURE = `(?:${SEGMENT}){0,2}/openai(?:/deployments/([A-Za-z0-9._~-]+))?`;
const PREFIX = `(?:(?:${SEGMENT}){0,4}${VERSION}|/v\\d{1,2}beta/openai|${AZURE})?`;
/** The path of almost every call, found without a search. */
const USUAL: ReadonlyMap<string, Endpoint> = new Map(
  [...POSTED].map(([tail, endpoint]) => [`/v1/${tail}`, endpoint]),
);
const POST_PATH = new RegExp(`^${PREFIX}/(${[...POSTED.keys()].join('|')})$`);
const ID = '/[A-Za-z0-9_-]+';
const ASIDE: readonly { method: string; path: RegExp; endpoint: Endpoint }[] = [
  { method: 'GET', path: pathOf(`responses${ID}(?:/input_items)?`), endpoint: RESPONSE },
  { method: 'POST', path: pathOf(`responses${ID}/cancel`), endpoint: RESPONSE },
  { method: 'DELETE', path: pathOf(`responses${ID}`), endpoint: RESPONSE },
  { method: 'GET', path: pathOf(`files(?:${ID}(?:/content)?)?`), endpoint: FILES },
  { method: 'DELETE', path: pathOf(`files${ID}`), endpoint: FILES },
  { method: 'GET', path: pathOf(`batches(?:${ID})?`), endpoint: BATCHES },
  { method: 'POST', path: pathOf(`batches${ID}/cancel`), endpoint: BATCHES },
];
const MODELS_PATH = new RegExp(`^${PREFIX}/models(/(?:[^/]+/){0,2}[^/]+)?$`);

export function recognise({ method, path }: RequestHead): Endpoint | undefined {
  if (method === 'POST') {
    const posted = USUAL.get(path) ?? POSTED.get(POST_PATH.exec(path)?.[2] ?? '');
    if (posted) return posted;
  }
  const models = method === 'GET' ? MODELS_PATH.exec(path) : null;
  if (models) return models[2] === undefined ? MODELS : MODEL;
  return ASIDE.find((side) => side.method === method && side.path.test(path))?.endpoint;
}

function pathOf(tail: string): RegExp {
  return new RegExp(`^${PREFIX}/${tail}$`);
}

/** Azure names the model by its deployment in the path, and ignores the body's `model`. Null elsewhere. */
export function deploymentOf(path: string): string | null {
  if (!path.includes('/openai/deployments/')) return null;
  return POST_PATH.exec(path)?.[1] ?? null;
}
