// OpenAI's API on the wire, and as Azure has it, as far as their references say: what a double answers.

import { eventStream, type Received, type Reply } from './double.ts';

interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly tools?: readonly unknown[];
}

const USAGE = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
const HEAD = { id: 'chatcmpl-1', created: 1_760_000_000, model: 'gpt-5-mini-2025-08-07' };
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };

/** By the tail of the path, whatever stands before it. */
export function openaiAnswer(request: Received): Reply {
  const { pathname } = new URL(request.url, 'http://x');
  const asked = JSON.parse(request.body.toString()) as Asked;
  if (pathname.endsWith('/chat/completions'))
    return asked.stream ? eventStream([...chunksOf(asked), '[DONE]']) : { body: chat(asked) };
  if (pathname.endsWith('/responses'))
    return asked.stream ? eventStream(responseEvents(), true) : { body: response('completed') };
  if (pathname.endsWith('/embeddings')) return { body: EMBEDDED };
  return { status: 404, body: { error: { message: `no ${pathname}`, type: 'invalid_request_error' } } };
}

/** The same with what its content filter found, as it adds that to whole answers and to streams. */
export function azureAnswer(request: Received): Reply {
  const plain = openaiAnswer(request);
  if (plain.chunks) return { ...plain, chunks: plain.chunks.flatMap((chunk) => annotated(String(chunk))) };
  return { ...plain, body: annotate(plain.body as object) };
}

const FOUND = { hate: { filtered: false, severity: 'safe' } };
const NOBODY = { created: 0, id: '', model: '', object: '' };
const PROMPT = { prompt_filter_results: [{ prompt_index: 0, content_filter_results: FOUND }] };
const LATER = {
  content_filter_results: FOUND,
  content_filter_offsets: { check_offset: 44, end_offset: 198 },
};

function annotated(event: string): string[] {
  const at = event.indexOf('data: ') + 6;
  const data = event.slice(at, -2);
  if (data === '[DONE]') return [event];
  const changed = `${event.slice(0, at)}${JSON.stringify(annotate(JSON.parse(data) as object))}\n\n`;
  if (!data.includes('"role":"assistant"') || !data.includes('"delta"')) return [changed];
  const written = (one: object) => `data: ${JSON.stringify(one)}\n\n`;
  return [
    written({ ...NOBODY, choices: [], ...PROMPT }),
    changed,
    written({ ...NOBODY, choices: [{ index: 0, finish_reason: null, ...LATER }] }),
  ];
}

function annotate(answer: { choices?: object[]; response?: object }): object {
  const { choices, response } = answer;
  return {
    ...answer,
    ...(choices && { choices: choices.map((choice) => ({ ...choice, content_filter_results: FOUND })) }),
    ...(response && { response: { ...response, content_filters: [{ blocked: false }] } }),
  };
}

const chat = ({ tools }: Asked): object => ({
  ...HEAD,
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: tools
        ? { role: 'assistant', content: null, refusal: null, tool_calls: [CALL] }
        : { role: 'assistant', content: 'hello', refusal: null },
      logprobs: null,
      finish_reason: tools ? 'tool_calls' : 'stop',
    },
  ],
  usage: USAGE,
});

function chunksOf({ tools, stream_options }: Asked): object[] {
  const chunk = (delta: object, reason: string | null) => ({
    ...HEAD,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
  });
  const half = (text: string) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] });
  const begun = { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } };
  const said = tools
    ? [chunk({ tool_calls: [begun] }, null), chunk(half('{"city":'), null), chunk(half('"Oslo"}'), null)]
    : [chunk({ content: 'hel' }, null), chunk({ content: 'lo' }, null)];
  const usage = { ...HEAD, object: 'chat.completion.chunk', choices: [], usage: USAGE };
  return [
    chunk({ role: 'assistant', content: tools ? null : '', refusal: null }, null),
    ...said,
    chunk({}, tools ? 'tool_calls' : 'stop'),
    ...(stream_options?.include_usage ? [usage] : []),
  ];
}

const RESPONSE = { id: 'resp_1', object: 'response', created_at: 1_760_000_000, model: 'gpt-5-mini' };
const PART = { type: 'output_text', text: 'hello', annotations: [], logprobs: [] };
const ITEM = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [PART] };

const response = (status: 'in_progress' | 'completed'): object => ({
  ...RESPONSE,
  status,
  output: status === 'completed' ? [ITEM] : [],
  usage: status === 'completed' ? { input_tokens: 100, output_tokens: 10, total_tokens: 110 } : null,
});

function responseEvents(): object[] {
  const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const events = [
    { type: 'response.created', response: response('in_progress') },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...ITEM, status: 'in_progress', content: [] },
    },
    { type: 'response.content_part.added', ...place, part: { ...PART, text: '' } },
    { type: 'response.output_text.delta', ...place, delta: 'hello', logprobs: [] },
    { type: 'response.output_text.done', ...place, text: 'hello', logprobs: [] },
    { type: 'response.content_part.done', ...place, part: PART },
    { type: 'response.output_item.done', output_index: 0, item: ITEM },
    { type: 'response.completed', response: response('completed') },
  ];
  return events.map((event, sequence_number) => ({ ...event, sequence_number }));
}

const EMBEDDED = {
  object: 'list',
  model: 'text-embedding-3-small',
  data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }],
  usage: { prompt_tokens: 7, total_tokens: 7 },
};
