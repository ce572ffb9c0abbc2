// Which paths of a Google upstream we know: `<version>/models/<model>:<method>` of the Gemini API, and the same under a
// project and publisher on Vertex AI, where Anthropic's models answer to `rawPredict` in their own tongue. The model is
// always the path's. Files, caches (billed by the hour), batches, tuned models, predictions, live sessions and
// interactions are unknown: what they cost is never seen here.

import type { Endpoint, RequestHead } from '../dialect.ts';

const generating = (name: string): Endpoint => ({
  operation: 'generate_content',
  billed: 'tokens',
  name,
  body: 'object',
});
const embedding = (name: string): Endpoint => ({
  operation: 'embeddings',
  billed: 'tokens',
  name,
  body: 'object',
});
const MESSAGES: Endpoint = { operation: 'chat', billed: 'tokens', name: 'messages', body: 'object' };
const COUNT_TOKENS: Endpoint = { operation: null, billed: 'free', name: 'count_tokens', body: 'object' };
const MODELS: Endpoint = { operation: null, billed: 'free', name: 'models', body: null };
const MODEL: Endpoint = { operation: null, billed: 'free', name: 'model', body: null };

const OF_GOOGLE: ReadonlyMap<string, Endpoint> = new Map([
  ['generateContent', generating('generate_content')],
  ['streamGenerateContent', generating('stream_generate_content')],
  ['countTokens', COUNT_TOKENS],
  ['embedContent', embedding('embed_content')],
  ['batchEmbedContents', embedding('batch_embed_contents')],
]);
const OF_ANTHROPIC: ReadonlyMap<string, Endpoint> = new Map([
  ['rawPredict', MESSAGES],
  ['streamRawPredict', MESSAGES],
]);
/** Anthropic's token counter stands on Vertex where a model would. */
const COUNTER = 'count-tokens';

const PREFIX = '(?:/(?!v\\d)[A-Za-z0-9._~-]+){0,4}';
const VERSION = '/v\\d{1,2}(?:(?:alpha|beta)\\d{0,2})?';
const PROJECT = '(?:/projects/[A-Za-z0-9._~-]+/locations/[a-z0-9-]+)?';
const PUBLISHED = `${PROJECT}/publishers/(google|anthropic)`;
const NAME = '[A-Za-z0-9._~@-]+';
const PLACE = `^${PREFIX}${VERSION}(?:${PUBLISHED})?/models`;
const POST_PATH = new RegExp(`${PLACE}/(${NAME}):([A-Za-z]+)$`);
const MODELS_PATH = new RegExp(`${PLACE}(/${NAME})?$`);

/** Google's own of all its APIs; others of their kind bring headers, a method or a body along in the query. */
const SYSTEM_PARAMETERS = new Set(['$alt', '$fields', '$key', '$prettyPrint', '$userProject', '$.xgafv']);
const hasHidden = (query: string): boolean =>
  /\$|%24/.test(query) &&
  [...new URLSearchParams(query).keys()].some((name) => name.startsWith('$') && !SYSTEM_PARAMETERS.has(name));

export function recognise({ method, path, query }: RequestHead): Endpoint | undefined {
  if (hasHidden(query)) return undefined;
  if (method === 'POST') {
    const [, publisher, model, asked] = POST_PATH.exec(path) ?? [];
    if (asked === undefined) return undefined;
    if (publisher !== 'anthropic') return OF_GOOGLE.get(asked);
    return model === COUNTER && asked === 'rawPredict' ? COUNT_TOKENS : OF_ANTHROPIC.get(asked);
  }
  const listed = method === 'GET' ? MODELS_PATH.exec(path) : null;
  if (!listed) return undefined;
  return listed[2] === undefined ? MODELS : MODEL;
}

/** The model a posted path names; null where it names none. */
export const modelOf = (path: string): string | null => POST_PATH.exec(path)?.[2] ?? null;

/** Anthropic's Messages API at Google's. */
export const isMessages = (endpoint: Endpoint): boolean => endpoint === MESSAGES;
export const isStreamed = (endpoint: Endpoint): boolean => endpoint.name === 'stream_generate_content';
/** Asked for as server-sent events; else a streamed answer is one growing JSON array. */
export const asEvents = (query: string): boolean => /[?&](?:\$|%24)?alt=sse(?:&|$)/i.test(query);
export const isArrayStream = ({ path, query }: RequestHead): boolean =>
  path.endsWith(':streamGenerateContent') && !asEvents(query);
