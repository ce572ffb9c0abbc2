// The practice provider's OpenAI: which path is which endpoint, its small endpoints, and its errors.

import {
  type Answer,
  type Behaviour,
  type JsonRecord,
  jsonAnswer,
  type ReceivedRequest,
} from './behaviour.ts';
import { chat, completion } from './openai-chat.ts';
import { responses } from './openai-responses.ts';
import { tokensOf } from './words.ts';

export const OPENAI_MODELS = ['gpt-5-mini', 'gpt-5', 'gpt-4o', 'text-embedding-3-small'];
const HEADERS = { 'x-request-id': 'req_openai_1', 'openai-processing-ms': '1' };

/** Undefined when the path is none of this API. */
export function openaiAnswer(
  request: ReceivedRequest,
  body: JsonRecord | null,
  behaviour: Behaviour,
): Answer | undefined {
  const endpoint = ENDPOINTS.find(({ method, tail }) => request.method === method && tail.test(request.path));
  if (!endpoint) return undefined;
  if ((behaviour.status ?? 200) >= 400) return withHeaders(openaiError(behaviour.status!, behaviour));
  if (request.method === 'GET') return withHeaders(endpoint.answer(request, {}, behaviour));
  if (!body)
    return withHeaders(
      openaiError(400, { errorMessage: 'We could not parse the JSON body of your request.' }),
    );
  if (typeof body.model !== 'string') {
    return withHeaders(openaiError(400, { errorMessage: 'you must provide a model parameter' }));
  }
  return withHeaders(endpoint.answer(request, body, behaviour));
}

const withHeaders = (answer: Answer): Answer => ({ ...answer, headers: { ...HEADERS, ...answer.headers } });

interface Endpoint {
  readonly method: string;
  readonly tail: RegExp;
  readonly answer: (request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour) => Answer;
}

const ENDPOINTS: readonly Endpoint[] = [
  { method: 'POST', tail: /\/chat\/completions$/, answer: chat },
  { method: 'POST', tail: /\/responses$/, answer: responses },
  { method: 'POST', tail: /\/responses\/input_tokens$/, answer: countInput },
  { method: 'POST', tail: /\/completions$/, answer: completion },
  { method: 'POST', tail: /\/embeddings$/, answer: embeddings },
  { method: 'GET', tail: /\/models$/, answer: listModels },
  { method: 'GET', tail: /\/models\/.+$/, answer: retrieveModel },
];

const TYPES: Readonly<Record<number, readonly [type: string, code: string | null]>> = {
  400: ['invalid_request_error', null],
  401: ['invalid_request_error', 'invalid_api_key'],
  403: ['invalid_request_error', 'unsupported_country_region_territory'],
  404: ['invalid_request_error', 'model_not_found'],
  429: ['requests', 'rate_limit_exceeded'],
  500: ['server_error', null],
  503: ['server_error', 'overloaded'],
};

export function openaiError(status: number, { errorType, errorMessage }: Behaviour): Answer {
  const [type, code] = TYPES[status] ?? ['server_error', null];
  const message = errorMessage ?? `practice error ${status}`;
  const headers = { 'x-request-id': 'req_openai_1', ...(status === 429 && { 'retry-after': '1' }) };
  return jsonAnswer({ error: { message, type: errorType ?? type, param: null, code } }, status, headers);
}

function countInput(request: ReceivedRequest): Answer {
  return jsonAnswer({ object: 'response.input_tokens', input_tokens: tokensOf(request.body.length) });
}

const DIMENSIONS = 8;

/** A vector made of the text's bytes: equal texts have equal vectors. SDKs ask for base64 unless told otherwise. */
function embeddings(request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour): Answer {
  const inputs: unknown[] = Array.isArray(body.input) ? body.input : [body.input];
  const data = inputs.map((input, index) => {
    const vector = vectorOf(Buffer.from(JSON.stringify(input)));
    const base64 = Buffer.from(vector.buffer).toString('base64');
    return {
      object: 'embedding',
      index,
      embedding: body.encoding_format === 'base64' ? base64 : [...vector],
    };
  });
  const prompt_tokens = behaviour.usage?.input ?? tokensOf(request.body.length);
  const usage = behaviour.rawUsage ?? { prompt_tokens, total_tokens: prompt_tokens };
  return jsonAnswer({ object: 'list', data, model: behaviour.model ?? body.model, usage });
}

function vectorOf(bytes: Buffer): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  bytes.forEach((byte, at) => {
    vector[at % DIMENSIONS]! += byte / 256;
  });
  return vector;
}

const model = (id: string): JsonRecord => ({
  id,
  object: 'model',
  created: 1_760_000_000,
  owned_by: 'openai',
});

function listModels(): Answer {
  return jsonAnswer({ object: 'list', data: OPENAI_MODELS.map(model) });
}

function retrieveModel(request: ReceivedRequest): Answer {
  const id = decodeURIComponent(request.path.slice(request.path.lastIndexOf('/models/') + '/models/'.length));
  if (OPENAI_MODELS.includes(id)) return jsonAnswer(model(id));
  return openaiError(404, {
    errorMessage: `The model '${id}' does not exist or you do not have access to it.`,
  });
}
