// OpenAI's wire format, as its API reference and the official SDK's types describe it: chat completions, responses,
// embeddings, models; whole and streamed. Written from the public format, not from what our own parser wishes.

import { type Behaviour, type Reply, streamed, type Tokens, tokensOf, whole, words } from './behaviour.ts';

interface Body {
  readonly model?: string;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean } | null;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly max_output_tokens?: number;
  readonly n?: number;
  readonly input?: unknown;
}

const CREATED = 1_764_000_000;
const OUTPUT_MAX = 16_384;
const MODELS = ['gpt-5-mini', 'gpt-5', 'gpt-4.1-mini', 'text-embedding-3-small'];

export function openaiReply(
  method: string,
  path: string,
  bytes: Buffer,
  behaviour: Behaviour,
): Reply | undefined {
  const route = `${method} ${path.replace(/^\/openai/, '')}`;
  if (behaviour.status !== undefined && behaviour.status >= 400) return failure(behaviour);
  if (route === 'GET /v1/models')
    return whole(200, { object: 'list', data: MODELS.map(modelObject) }, behaviour);
  const named = /^GET \/v1\/models\/(.+)$/.exec(route)?.[1];
  if (named !== undefined) return whole(200, modelObject(decodeURIComponent(named)), behaviour);
  if (method !== 'POST') return undefined;
  const body = JSON.parse(bytes.toString()) as Body;
  if (route === 'POST /v1/chat/completions') return chat(body, bytes.length, behaviour);
  if (route === 'POST /v1/responses') return responses(body, bytes.length, behaviour);
  if (route === 'POST /v1/embeddings') return embeddings(body, bytes.length, behaviour);
  return undefined;
}

const modelObject = (id: string): object => ({ id, object: 'model', created: CREATED, owned_by: 'practice' });

function failure({ status = 500, errorType }: Behaviour): Reply {
  const type =
    errorType ??
    (status === 429 ? 'rate_limit_exceeded' : status >= 500 ? 'server_error' : 'invalid_request_error');
  return whole(status, { error: { message: `practice error ${status}`, type, param: null, code: type } }, {});
}

const defaultText = 'This is a practice answer. No model was asked and nothing was billed.';

// ---- chat completions ----

function chat(body: Body, bodyBytes: number, behaviour: Behaviour): Reply {
  const text = behaviour.text ?? defaultText;
  const limit = body.max_completion_tokens ?? body.max_tokens ?? OUTPUT_MAX;
  const tokens = tokensOf(bodyBytes, text, limit, behaviour);
  const model = behaviour.model ?? body.model ?? '';
  return body.stream
    ? chatStream(body, text, tokens, model, behaviour)
    : chatWhole(body, text, tokens, model, behaviour);
}

const chatUsage = (tokens: Tokens): object => ({
  prompt_tokens: tokens.input,
  completion_tokens: tokens.output,
  total_tokens: tokens.input + tokens.output,
  prompt_tokens_details: { cached_tokens: tokens.cached, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: tokens.reasoning,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});

function chatWhole(body: Body, text: string, tokens: Tokens, model: string, behaviour: Behaviour): Reply {
  const calls = toolCalls(behaviour);
  const choice = (index: number): object => ({
    index,
    message: {
      role: 'assistant',
      content: calls ? null : text,
      ...(calls ? { tool_calls: calls } : {}),
      refusal: null,
      annotations: [],
    },
    logprobs: null,
    finish_reason: calls ? 'tool_calls' : 'stop',
  });
  return whole(
    200,
    {
      id: 'chatcmpl-practice',
      object: 'chat.completion',
      created: CREATED,
      model,
      choices: Array.from({ length: body.n ?? 1 }, (_, i) => choice(i)),
      ...(behaviour.withoutUsage ? {} : { usage: chatUsage(tokens) }),
      service_tier: 'default',
      system_fingerprint: 'fp_practice',
    },
    behaviour,
  );
}

const toolCalls = ({ toolCalls: calls }: Behaviour): object[] | undefined =>
  calls?.map(({ id, name, arguments: text }) => ({
    id,
    type: 'function',
    function: { name, arguments: text },
  }));

function chatStream(body: Body, text: string, tokens: Tokens, model: string, behaviour: Behaviour): Reply {
  const withUsage = body.stream_options?.include_usage === true;
  const head = {
    id: 'chatcmpl-practice',
    object: 'chat.completion.chunk',
    created: CREATED,
    model,
    service_tier: 'default',
    system_fingerprint: 'fp_practice',
  };
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(withUsage ? { usage: null } : {}),
  });
  const calls = behaviour.toolCalls;
  const deltas = calls
    ? calls.flatMap(({ id, name, arguments: json }, index) => [
        { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
        ...halves(json).map((part) => ({ tool_calls: [{ index, function: { arguments: part } }] })),
      ])
    : words(text).map((content) => ({ content }));
  const events: { data: unknown }[] = [
    { data: chunk({ role: 'assistant', content: calls ? null : '', refusal: null }) },
    ...deltas.map((delta) => ({ data: chunk(delta) })),
    { data: chunk({}, calls ? 'tool_calls' : 'stop') },
  ];
  if (withUsage && !behaviour.withoutUsage)
    events.push({ data: { ...head, choices: [], usage: chatUsage(tokens) } });
  events.push({ data: '[DONE]' });
  const at = behaviour.streamErrorAfterEvents;
  if (at !== undefined) {
    const error = {
      message: 'practice error',
      type: behaviour.errorType ?? 'server_error',
      param: null,
      code: null,
    };
    events.splice(at, events.length, { data: { error } });
  }
  return streamed(events, behaviour);
}

const halves = (text: string): string[] => [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];

// ---- responses ----

function responses(body: Body, bodyBytes: number, behaviour: Behaviour): Reply {
  const text = behaviour.text ?? defaultText;
  const tokens = tokensOf(bodyBytes, text, body.max_output_tokens ?? OUTPUT_MAX, behaviour);
  const response = responseObject(body, behaviour.model ?? body.model ?? '');
  const items = outputItems(text, behaviour);
  const usage = behaviour.withoutUsage ? null : responseUsage(tokens);
  const completed = { ...response, status: 'completed', output: items, usage };
  return body.stream
    ? responseStream(response, completed, items, behaviour)
    : whole(200, completed, behaviour);
}

const responseUsage = (tokens: Tokens): object => ({
  input_tokens: tokens.input,
  input_tokens_details: { cached_tokens: tokens.cached },
  output_tokens: tokens.output,
  output_tokens_details: { reasoning_tokens: tokens.reasoning },
  total_tokens: tokens.input + tokens.output,
});

const responseObject = (body: Body, model: string): Record<string, unknown> => ({
  id: 'resp_practice',
  object: 'response',
  created_at: CREATED,
  status: 'in_progress',
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: body.max_output_tokens ?? null,
  model,
  output: [],
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  service_tier: 'default',
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
  usage: null,
  user: null,
  metadata: {},
});

interface Event extends Record<string, unknown> {
  readonly type: string;
}

interface Item extends Record<string, unknown> {
  readonly id: string;
  readonly type: string;
}

function outputItems(text: string, { toolCalls: calls }: Behaviour): Item[] {
  if (calls) {
    return calls.map(({ id, name, arguments: json }) => ({
      id: `fc_${id}`,
      type: 'function_call',
      status: 'completed',
      call_id: id,
      name,
      arguments: json,
    }));
  }
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  return [{ id: 'msg_practice', type: 'message', status: 'completed', role: 'assistant', content }];
}

function responseStream(
  response: object,
  completed: object,
  items: readonly Item[],
  behaviour: Behaviour,
): Reply {
  const data: Event[] = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    ...items.flatMap((item, index) => itemEvents(item, index)),
    { type: 'response.completed', response: completed },
  ];
  const at = behaviour.streamErrorAfterEvents;
  if (at !== undefined) {
    const error = { code: behaviour.errorType ?? 'server_error', message: 'practice error' };
    data.splice(at, data.length, {
      type: 'response.failed',
      response: { ...response, status: 'failed', error },
    });
  }
  const numbered = data.map((event, i) => ({ ...event, sequence_number: i }));
  return streamed(
    numbered.map((event) => ({ name: event.type, data: event })),
    behaviour,
  );
}

function itemEvents(item: Item, index: number): Event[] {
  const at = { item_id: item.id, output_index: index };
  if (item.type === 'function_call') {
    const json = String(item.arguments);
    return [
      {
        type: 'response.output_item.added',
        output_index: index,
        item: { ...item, status: 'in_progress', arguments: '' },
      },
      ...halves(json).map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
      { type: 'response.function_call_arguments.done', ...at, name: item.name, arguments: json },
      { type: 'response.output_item.done', output_index: index, item },
    ];
  }
  const [part] = item.content as { text: string }[];
  const inPart = { ...at, content_index: 0 };
  return [
    {
      type: 'response.output_item.added',
      output_index: index,
      item: { ...item, status: 'in_progress', content: [] },
    },
    { type: 'response.content_part.added', ...inPart, part: { ...part, text: '' } },
    ...words(part!.text).map((delta) => ({
      type: 'response.output_text.delta',
      ...inPart,
      delta,
      logprobs: [],
    })),
    { type: 'response.output_text.done', ...inPart, text: part!.text, logprobs: [] },
    { type: 'response.content_part.done', ...inPart, part },
    { type: 'response.output_item.done', output_index: index, item },
  ];
}

// ---- embeddings ----

function embeddings(body: Body, bodyBytes: number, behaviour: Behaviour): Reply {
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const tokens = tokensOf(bodyBytes, '', 0, behaviour);
  const vector = Buffer.from(new Float32Array([0.25, -0.5, 0.125, 0]).buffer).toString('base64');
  const encoded = (body as { encoding_format?: string }).encoding_format === 'base64';
  return whole(
    200,
    {
      object: 'list',
      data: inputs.map((_, index) => ({
        object: 'embedding',
        index,
        embedding: encoded ? vector : [0.25, -0.5, 0.125, 0],
      })),
      model: behaviour.model ?? body.model,
      ...(behaviour.withoutUsage
        ? {}
        : { usage: { prompt_tokens: tokens.input, total_tokens: tokens.input } }),
    },
    behaviour,
  );
}
