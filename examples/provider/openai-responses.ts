// POST …/responses: the whole response, or its named events with their sequence numbers. A stream ends with the event
// that holds the finished response; there is no `[DONE]`.

import {
  type Answer,
  type Behaviour,
  brokenOff,
  type JsonRecord,
  jsonAnswer,
  type ReceivedRequest,
  streamAnswer,
} from './behaviour.ts';
import { piecesOf, type Said, say, slicesOf } from './words.ts';

export function responses(request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour): Answer {
  const limit = (body.max_output_tokens as number | null | undefined) ?? null;
  const said = say(request, behaviour, limit);
  const items = itemsOf(said, behaviour);
  const finished = responseOf(
    body,
    behaviour,
    said.cut ? 'incomplete' : 'completed',
    items,
    usageOf(said, behaviour),
  );
  if (body.stream !== true) return jsonAnswer(finished);
  const begun = responseOf(body, behaviour, 'in_progress', [], null);
  const events = numbered(eventsOf(begun, finished, items, behaviour));
  return streamAnswer(brokenOff(events, behaviour, failedEvent(begun, behaviour)));
}

type Event = JsonRecord & { readonly type: string };

const numbered = (events: readonly Event[]): string[] =>
  events.map(
    (event, sequence_number) =>
      `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`,
  );

function eventsOf(
  begun: JsonRecord,
  finished: JsonRecord,
  items: readonly JsonRecord[],
  behaviour: Behaviour,
): Event[] {
  const events: Event[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...items.flatMap((item, index) => itemEvents(item, index)),
  ];
  if (behaviour.truncate) return events;
  return [...events, { type: `response.${finished.status as string}`, response: finished }];
}

function failedEvent(begun: JsonRecord, { errorType, streamErrorAfterEvents }: Behaviour): string {
  const error = { code: errorType ?? 'server_error', message: 'practice error' };
  const event = { type: 'response.failed', response: { ...begun, status: 'failed', error } };
  return `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: streamErrorAfterEvents })}\n\n`;
}

function itemEvents(item: JsonRecord, output_index: number): Event[] {
  const where = { item_id: item.id, output_index };
  const added = { type: 'response.output_item.added', output_index, item: emptied(item) };
  const done = { type: 'response.output_item.done', output_index, item };
  switch (item.type) {
    case 'function_call': {
      const text = item.arguments as string;
      return [
        added,
        ...slicesOf(text).map((delta) => ({
          type: 'response.function_call_arguments.delta',
          ...where,
          delta,
        })),
        { type: 'response.function_call_arguments.done', ...where, name: item.name, arguments: text },
        done,
      ];
    }
    case 'reasoning': {
      const part = (item.summary as JsonRecord[])[0]!;
      const at = { ...where, summary_index: 0 };
      return [
        added,
        { type: 'response.reasoning_summary_part.added', ...at, part: { ...part, text: '' } },
        ...piecesOf(part.text as string).map((delta) => ({
          type: 'response.reasoning_summary_text.delta',
          ...at,
          delta,
        })),
        { type: 'response.reasoning_summary_text.done', ...at, text: part.text },
        { type: 'response.reasoning_summary_part.done', ...at, part },
        done,
      ];
    }
    default: {
      const part = (item.content as JsonRecord[])[0]!;
      const at = { ...where, content_index: 0 };
      return [
        added,
        { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
        ...piecesOf(part.text as string).map((delta) => ({
          type: 'response.output_text.delta',
          ...at,
          delta,
          logprobs: [],
        })),
        { type: 'response.output_text.done', ...at, text: part.text, logprobs: [] },
        { type: 'response.content_part.done', ...at, part },
        done,
      ];
    }
  }
}

/** An item as it is announced, before its text. */
function emptied(item: JsonRecord): JsonRecord {
  const open = { ...item, status: 'in_progress' };
  if (item.type === 'function_call') return { ...open, arguments: '' };
  return item.type === 'reasoning' ? { ...open, summary: [] } : { ...open, content: [] };
}

function itemsOf(said: Said, { thinking, toolCalls = [] }: Behaviour): JsonRecord[] {
  const items: JsonRecord[] = [];
  if (thinking)
    items.push({ type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: thinking }] });
  if (said.text !== '') {
    const content = [{ type: 'output_text', text: said.text, annotations: [], logprobs: [] }];
    const status = said.cut ? 'incomplete' : 'completed';
    items.push({ type: 'message', id: 'msg_1', role: 'assistant', status, content });
  }
  toolCalls.forEach(({ name, arguments: text, id }, index) => {
    const call_id = id ?? `call_${index}`;
    items.push({
      type: 'function_call',
      id: `fc_${index}`,
      call_id,
      name,
      arguments: text,
      status: 'completed',
    });
  });
  return items;
}

function responseOf(
  body: JsonRecord,
  behaviour: Behaviour,
  status: string,
  output: readonly JsonRecord[],
  usage: unknown,
): JsonRecord {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_760_000_000,
    status,
    background: false,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    model: behaviour.model ?? body.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    service_tier: behaviour.serviceTier ?? 'default',
    store: body.store ?? true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: body.tools ?? [],
    top_p: 1,
    truncation: 'disabled',
    usage: usage ?? null,
    metadata: {},
  };
}

function usageOf(said: Said, behaviour: Behaviour): unknown {
  if (behaviour.withoutUsage) return null;
  if (behaviour.rawUsage !== undefined) return behaviour.rawUsage;
  const { cached = 0, cacheWrite = 0, reasoning = 0 } = behaviour.usage ?? {};
  return {
    input_tokens: said.inputTokens,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: cacheWrite },
    output_tokens: said.outputTokens,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: said.inputTokens + said.outputTokens,
  };
}
