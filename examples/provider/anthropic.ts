// The practice provider's Anthropic: messages whole and streamed, token counting, models, liveness, errors.

import {
  type Answer,
  type Behaviour,
  brokenOff,
  type JsonRecord,
  jsonAnswer,
  type ReceivedRequest,
  streamAnswer,
} from './behaviour.ts';
import { piecesOf, type Said, say, slicesOf, tokensOf } from './words.ts';

export const ANTHROPIC_MODELS = ['claude-haiku-4-5', 'claude-sonnet-4-5', 'claude-opus-4-8'];

/** Undefined when the path is none of this API. */
export function anthropicAnswer(
  request: ReceivedRequest,
  body: JsonRecord | null,
  behaviour: Behaviour,
): Answer | undefined {
  const { method, path } = request;
  const posted = method === 'POST' ? /\/v1\/messages(\/count_tokens)?$/.exec(path) : null;
  const listed = method === 'GET' ? /\/v1\/models(?:\/([^/]+))?$/.exec(path) : null;
  const alive = (method === 'GET' || method === 'HEAD') && /\/api\/hello$/.test(path);
  if (!posted && !listed && !alive) return undefined;
  if ((behaviour.status ?? 200) >= 400) return anthropicError(behaviour.status!, behaviour);
  if (alive) return jsonAnswer({ message: 'hello' });
  if (listed) return models(listed[1]);
  if (!body) return anthropicError(400, { errorMessage: 'The request body is not valid JSON' });
  if (posted![1] !== undefined) return withId(jsonAnswer({ input_tokens: tokensOf(request.body.length) }));
  if (typeof body.max_tokens !== 'number') {
    return anthropicError(400, { errorMessage: 'max_tokens: Field required' });
  }
  return withId(messages(request, body, behaviour));
}

const withId = (answer: Answer): Answer => ({
  ...answer,
  headers: { 'request-id': 'req_anthropic_1', ...answer.headers },
});

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export function anthropicError(status: number, { errorType, errorMessage }: Behaviour): Answer {
  const type = errorType ?? TYPES[status] ?? 'api_error';
  const message = errorMessage ?? `practice error ${status}`;
  const body = { type: 'error', error: { type, message }, request_id: 'req_anthropic_1' };
  return withId(jsonAnswer(body, status, status === 429 ? { 'retry-after': '1' } : {}));
}

function messages(request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour): Answer {
  const said = say(request, behaviour, body.max_tokens as number);
  const blocks = blocksOf(said, behaviour);
  const head = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: behaviour.model ?? body.model,
    stop_sequence: null,
    container: null,
    context_management: null,
  };
  if (body.stream !== true) {
    const stop_reason = stopReason(said, behaviour);
    return jsonAnswer({
      ...head,
      content: blocks,
      stop_reason,
      ...usageMember(said, behaviour, said.outputTokens),
    });
  }
  const started = { ...head, content: [], stop_reason: null, ...usageMember(said, behaviour, 1) };
  const error = { type: behaviour.errorType ?? 'overloaded_error', message: 'practice error' };
  const events = eventsOf(started, blocks, said, behaviour);
  return streamAnswer(brokenOff(events, behaviour, event('error', { error })));
}

const event = (type: string, rest: JsonRecord): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;

function eventsOf(
  started: JsonRecord,
  blocks: readonly JsonRecord[],
  said: Said,
  behaviour: Behaviour,
): string[] {
  const events = [
    event('message_start', { message: started }),
    event('ping', {}),
    ...blocks.flatMap((block, index) => blockEvents(block, index, behaviour.wordsPerEvent)),
  ];
  if (behaviour.truncate) return events;
  const delta = { stop_reason: stopReason(said, behaviour), stop_sequence: null };
  const usage = behaviour.withoutUsage
    ? {}
    : { usage: behaviour.rawUsage ?? { output_tokens: said.outputTokens } };
  return [...events, event('message_delta', { delta, ...usage }), event('message_stop', {})];
}

function blockEvents(block: JsonRecord, index: number, wordsEach: number | undefined): string[] {
  const start = (content_block: JsonRecord): string => event('content_block_start', { index, content_block });
  const delta = (change: JsonRecord): string => event('content_block_delta', { index, delta: change });
  const stop = event('content_block_stop', { index });
  switch (block.type) {
    case 'tool_use':
      return [
        start({ ...block, input: {} }),
        ...slicesOf(JSON.stringify(block.input)).map((partial_json) =>
          delta({ type: 'input_json_delta', partial_json }),
        ),
        stop,
      ];
    case 'thinking':
      return [
        start({ type: 'thinking', thinking: '', signature: '' }),
        ...piecesOf(block.thinking as string).map((thinking) => delta({ type: 'thinking_delta', thinking })),
        delta({ type: 'signature_delta', signature: block.signature }),
        stop,
      ];
    default:
      return [
        start({ type: 'text', text: '', citations: null }),
        ...piecesOf(block.text as string, wordsEach).map((text) => delta({ type: 'text_delta', text })),
        stop,
      ];
  }
}

function blocksOf(said: Said, { thinking, toolCalls = [] }: Behaviour): JsonRecord[] {
  const blocks: JsonRecord[] = [];
  if (thinking) blocks.push({ type: 'thinking', thinking, signature: 'c2lnbmF0dXJl' });
  if (said.text !== '') blocks.push({ type: 'text', text: said.text, citations: null });
  toolCalls.forEach(({ name, arguments: text, id }, index) => {
    blocks.push({ type: 'tool_use', id: id ?? `toolu_${index}`, name, input: JSON.parse(text) as unknown });
  });
  return blocks;
}

const stopReason = (said: Said, { toolCalls }: Behaviour): string =>
  said.cut ? 'max_tokens' : toolCalls ? 'tool_use' : 'end_turn';

/** Anthropic counts cached and written input beside `input_tokens`, not within. */
function usageMember(said: Said, behaviour: Behaviour, outputTokens: number): JsonRecord {
  if (behaviour.withoutUsage) return {};
  const { cached = 0, cacheWrite = 0, cacheWriteHour = 0 } = behaviour.usage ?? {};
  const usage = {
    input_tokens: said.inputTokens - cached - cacheWrite - cacheWriteHour,
    cache_creation_input_tokens: cacheWrite + cacheWriteHour,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite, ephemeral_1h_input_tokens: cacheWriteHour },
    output_tokens: outputTokens,
    server_tool_use: null,
    service_tier: behaviour.serviceTier ?? 'standard',
  };
  return { usage: behaviour.rawUsage ?? usage };
}

function models(id: string | undefined): Answer {
  const data = ANTHROPIC_MODELS.map((name) => ({
    type: 'model',
    id: name,
    display_name: name,
    created_at: '2026-01-01T00:00:00Z',
  }));
  if (id === undefined) {
    return jsonAnswer({ data, has_more: false, first_id: data[0]!.id, last_id: data.at(-1)!.id });
  }
  const found = data.find((entry) => entry.id === id);
  return found ? jsonAnswer(found) : anthropicError(404, { errorMessage: `model: ${id}` });
}
