// Anthropic's wire format, as its API reference and the official SDK's types describe it: messages, token counting,
// models; whole and streamed. Cached and written input stand outside `input_tokens`.

import { type Behaviour, type Reply, streamed, type Tokens, tokensOf, whole, words } from './behaviour.ts';

interface Body {
  readonly model?: string;
  readonly stream?: boolean;
  readonly max_tokens?: number;
}

const MODELS = ['claude-haiku-4-5', 'claude-opus-4-1'];
const CREATED = '2025-10-01T00:00:00Z';

export function anthropicReply(
  method: string,
  path: string,
  bytes: Buffer,
  behaviour: Behaviour,
): Reply | undefined {
  const route = `${method} ${path.replace(/^\/anthropic/, '')}`;
  if (behaviour.status !== undefined && behaviour.status >= 400) return failure(behaviour);
  if (route === 'GET /v1/models') return whole(200, modelList(), behaviour);
  const named = /^GET \/v1\/models\/(.+)$/.exec(route)?.[1];
  if (named !== undefined) return whole(200, modelObject(named), behaviour);
  if (route === 'POST /v1/messages/count_tokens') {
    return whole(200, { input_tokens: tokensOf(bytes.length, '', 0, behaviour).input }, behaviour);
  }
  if (route !== 'POST /v1/messages') return undefined;
  const body = JSON.parse(bytes.toString()) as Body;
  if (body.max_tokens === undefined) return failure({ status: 400, errorType: 'invalid_request_error' });
  const text = behaviour.text ?? 'This is a practice answer. No model was asked and nothing was billed.';
  const tokens = tokensOf(bytes.length, text, body.max_tokens, behaviour);
  const message = messageObject(behaviour.model ?? body.model ?? '', tokens, behaviour);
  return body.stream
    ? messageStream(message, text, tokens, behaviour)
    : messageWhole(message, text, tokens, behaviour);
}

const modelObject = (id: string): object => ({ type: 'model', id, display_name: id, created_at: CREATED });

const modelList = (): object => ({
  data: MODELS.map(modelObject),
  has_more: false,
  first_id: MODELS[0],
  last_id: MODELS.at(-1),
});

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

function failure({ status = 500, errorType }: Behaviour): Reply {
  const type = errorType ?? ERROR_TYPES[status] ?? 'api_error';
  return whole(
    status,
    { type: 'error', error: { type, message: `practice error ${status}` }, request_id: 'req_practice' },
    {},
  );
}

const inputUsage = (tokens: Tokens): Record<string, unknown> => ({
  input_tokens: tokens.input - tokens.cached - tokens.cacheWrite,
  cache_creation_input_tokens: tokens.cacheWrite,
  cache_read_input_tokens: tokens.cached,
  cache_creation: { ephemeral_5m_input_tokens: tokens.cacheWrite, ephemeral_1h_input_tokens: 0 },
  service_tier: 'standard',
});

function messageObject(model: string, tokens: Tokens, behaviour: Behaviour): Record<string, unknown> {
  const usage = { ...inputUsage(tokens), output_tokens: 1 };
  return {
    id: 'msg_practice',
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(behaviour.withoutUsage ? {} : { usage }),
  };
}

const stopReason = ({ toolCalls }: Behaviour): string => (toolCalls ? 'tool_use' : 'end_turn');

function messageWhole(
  message: Record<string, unknown>,
  text: string,
  tokens: Tokens,
  behaviour: Behaviour,
): Reply {
  const content = behaviour.toolCalls
    ? behaviour.toolCalls.map(({ id, name, arguments: json }) => ({
        type: 'tool_use',
        id,
        name,
        input: JSON.parse(json),
      }))
    : [{ type: 'text', text, citations: null }];
  const usage = { ...inputUsage(tokens), output_tokens: tokens.output };
  const done = { ...message, content, stop_reason: stopReason(behaviour) };
  return whole(200, behaviour.withoutUsage ? done : { ...done, usage }, behaviour);
}

function messageStream(
  message: Record<string, unknown>,
  text: string,
  tokens: Tokens,
  behaviour: Behaviour,
): Reply {
  const usage = { output_tokens: tokens.output };
  const data: { type: string; [key: string]: unknown }[] = [
    { type: 'message_start', message },
    ...(behaviour.toolCalls ? toolBlocks(behaviour) : textBlock(text)),
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason(behaviour), stop_sequence: null },
      ...(behaviour.withoutUsage ? {} : { usage }),
    },
    { type: 'message_stop' },
  ];
  data.splice(2, 0, { type: 'ping' });
  const at = behaviour.streamErrorAfterEvents;
  if (at !== undefined) {
    const error = { type: behaviour.errorType ?? 'overloaded_error', message: 'practice error' };
    data.splice(at, data.length, { type: 'error', error });
  }
  return streamed(
    data.map((event) => ({ name: event.type, data: event })),
    behaviour,
  );
}

function textBlock(text: string): { type: string; [key: string]: unknown }[] {
  return [
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...words(text).map((word) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: word },
    })),
    { type: 'content_block_stop', index: 0 },
  ];
}

function toolBlocks({ toolCalls = [] }: Behaviour): { type: string; [key: string]: unknown }[] {
  return toolCalls.flatMap(({ id, name, arguments: json }, index) => [
    { type: 'content_block_start', index, content_block: { type: 'tool_use', id, name, input: {} } },
    ...['', json.slice(0, json.length >> 1), json.slice(json.length >> 1)].map((part) => ({
      type: 'content_block_delta',
      index,
      delta: { type: 'input_json_delta', partial_json: part },
    })),
    { type: 'content_block_stop', index },
  ]);
}
