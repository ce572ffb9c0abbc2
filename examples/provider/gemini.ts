// The practice provider's Gemini: generateContent whole, as events and as a growing array, token counting, models, errors.

import {
  type Answer,
  type Behaviour,
  brokenOff,
  type JsonRecord,
  jsonAnswer,
  type ReceivedRequest,
  streamAnswer,
} from './behaviour.ts';
import { piecesOf, type Said, say, tokensOf } from './words.ts';

export const GEMINI_MODELS = ['gemini-2.5-flash', 'gemini-2.5-pro'];

/** Undefined when the path is none of this API. */
export function geminiAnswer(
  request: ReceivedRequest,
  body: JsonRecord | null,
  behaviour: Behaviour,
): Answer | undefined {
  const { method, path } = request;
  const [, id, asked] = /\/v1(?:beta)?\/models(?:\/([^/:]+))?(?::(\w+))?$/.exec(path) ?? [];
  const listed = method === 'GET' && asked === undefined && /\/v1(?:beta)?\/models/.test(path);
  if (!listed && (method !== 'POST' || id === undefined || asked === undefined)) return undefined;
  if ((behaviour.status ?? 200) >= 400) return geminiError(behaviour.status!, behaviour);
  if (listed) return models(id);
  if (!body) return geminiError(400, { errorMessage: 'Invalid JSON payload received.' });
  switch (asked) {
    case 'countTokens':
      return jsonAnswer({ totalTokens: tokensOf(request.body.length) });
    case 'generateContent':
      return jsonAnswer(whole(id!, request, body, behaviour));
    case 'streamGenerateContent':
      return streamed(id!, request, body, behaviour);
    default:
      return undefined;
  }
}

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

export function geminiError(code: number, { errorType, errorMessage }: Behaviour): Answer {
  const status = errorType ?? STATUSES[code] ?? 'INTERNAL';
  return jsonAnswer({ error: { code, message: errorMessage ?? `practice error ${code}`, status } }, code);
}

function spoken(request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour): Said {
  const config = (body.generationConfig ?? {}) as { readonly maxOutputTokens?: number };
  return say(request, behaviour, config.maxOutputTokens ?? null);
}

function whole(model: string, request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour): JsonRecord {
  const said = spoken(request, body, behaviour);
  const parts = [...(said.text === '' ? [] : [{ text: said.text }]), ...calls(behaviour)];
  return answer(model, parts, said, behaviour, true);
}

/** Each event holds the usage so far; without `alt=sse` the events are the elements of one array. */
function streamed(model: string, request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour): Answer {
  const said = spoken(request, body, behaviour);
  const parts = [
    ...piecesOf(said.text, behaviour.wordsPerEvent).map((text) => ({ text })),
    ...calls(behaviour),
  ];
  const answers = parts.map((part, at) =>
    answer(model, [part], said, behaviour, at === parts.length - 1 && !behaviour.truncate),
  );
  const texts = answers.map((one) => JSON.stringify(one));
  if (!/[?&]alt=sse\b/.test(request.url)) {
    const elements = texts.map((text, at) => (at === 0 ? `[${text}` : `,\r\n${text}`));
    return { ...streamAnswer([...elements, ']']), headers: { 'content-type': 'application/json' } };
  }
  const error = { error: { code: 503, message: 'practice error', status: 'UNAVAILABLE' } };
  const events = texts.map((text) => `data: ${text}\r\n\r\n`);
  return streamAnswer(brokenOff(events, behaviour, `data: ${JSON.stringify(error)}\r\n\r\n`));
}

const calls = ({ toolCalls = [] }: Behaviour): JsonRecord[] =>
  toolCalls.map(({ name, arguments: text }) => ({
    functionCall: { name, args: JSON.parse(text) as unknown },
  }));

function answer(
  model: string,
  parts: readonly JsonRecord[],
  said: Said,
  behaviour: Behaviour,
  last: boolean,
): JsonRecord {
  const finish = last ? { finishReason: said.cut ? 'MAX_TOKENS' : 'STOP' } : {};
  return {
    candidates: [{ content: { parts, role: 'model' }, ...finish, index: 0 }],
    ...(last && !behaviour.withoutUsage && { usageMetadata: behaviour.rawUsage ?? usage(said, behaviour) }),
    modelVersion: behaviour.model ?? model,
    responseId: 'gemini_1',
  };
}

/** Cached tokens lie within the prompt's, thoughts beside the answer's. */
function usage(said: Said, { usage: { cached = 0, reasoning = 0 } = {} }: Behaviour): JsonRecord {
  return {
    promptTokenCount: said.inputTokens,
    candidatesTokenCount: said.outputTokens - reasoning,
    totalTokenCount: said.inputTokens + said.outputTokens,
    ...(cached > 0 && { cachedContentTokenCount: cached }),
    ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
  };
}

function models(id: string | undefined): Answer {
  const all = GEMINI_MODELS.map((name) => ({
    name: `models/${name}`,
    displayName: name,
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  }));
  if (id === undefined) return jsonAnswer({ models: all });
  const found = all.find(({ name }) => name === `models/${id}`);
  return found ? jsonAnswer(found) : geminiError(404, { errorMessage: `models/${id} is not found` });
}
