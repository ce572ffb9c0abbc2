// POST …/chat/completions and …/completions, as the API reference and the SDK's types have them.

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

const CREATED_S = 1_760_000_000;

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

export function chat(request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour): Answer {
  const said = say(request, behaviour, limitOf(body));
  const head = {
    id: 'chatcmpl-1',
    created: CREATED_S,
    model: behaviour.model ?? body.model,
    ...tierOf(behaviour),
  };
  const choices = Array.from({ length: Number(body.n ?? 1) }, (_, index) => index);
  if (body.stream === true) {
    const asked = (body.stream_options as JsonRecord | null | undefined)?.include_usage === true;
    const events = chatEvents(head, choices, said, behaviour, asked);
    return streamAnswer(brokenOff(events, behaviour, errorEvent(behaviour)));
  }
  return jsonAnswer({
    ...head,
    object: 'chat.completion',
    choices: choices.map((index) => ({
      index,
      message: message(said, behaviour),
      logprobs: null,
      finish_reason: finishReason(said, behaviour),
    })),
    ...usageMember(said, behaviour, choices.length),
  });
}

export function completion(request: ReceivedRequest, body: JsonRecord, behaviour: Behaviour): Answer {
  const said = say(request, behaviour, (body.max_tokens as number | null) ?? 16);
  const head = {
    id: 'cmpl-1',
    object: 'text_completion',
    created: CREATED_S,
    model: behaviour.model ?? body.model,
  };
  const choice = (text: string, reason: string | null) => ({
    index: 0,
    text,
    logprobs: null,
    finish_reason: reason,
  });
  if (body.stream !== true) {
    const choices = [choice(said.text, finishReason(said, behaviour))];
    return jsonAnswer({ ...head, choices, ...usageMember(said, behaviour, 1) });
  }
  const asked = (body.stream_options as JsonRecord | undefined)?.include_usage === true;
  const events = piecesOf(said.text).map((text) => data({ ...head, choices: [choice(text, null)] }));
  events.push(data({ ...head, choices: [choice('', finishReason(said, behaviour))] }));
  if (asked) events.push(data({ ...head, choices: [], ...usageMember(said, behaviour, 1) }));
  return streamAnswer([...events, 'data: [DONE]\n\n']);
}

function chatEvents(
  head: JsonRecord,
  choices: readonly number[],
  said: Said,
  behaviour: Behaviour,
  asked: boolean,
): string[] {
  const chunk = (index: number, delta: JsonRecord, reason: string | null = null): string =>
    data({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index, delta, logprobs: null, finish_reason: reason }],
      ...(asked && !behaviour.withoutUsage && { usage: null }),
    });
  const events = choices.flatMap((index) => [
    chunk(index, { role: 'assistant', content: behaviour.toolCalls ? null : '', refusal: null }),
    ...piecesOf(said.text, behaviour.wordsPerEvent).map((content) => chunk(index, { content })),
    ...toolDeltas(behaviour).map((call) => chunk(index, { tool_calls: [call] })),
  ]);
  if (behaviour.truncate) return events;
  for (const index of choices) events.push(chunk(index, {}, finishReason(said, behaviour)));
  if (asked && !behaviour.withoutUsage) {
    const usage = usageMember(said, behaviour, choices.length);
    events.push(data({ ...head, object: 'chat.completion.chunk', choices: [], ...usage }));
  }
  return [...events, 'data: [DONE]\n\n'];
}

function toolDeltas({ toolCalls = [] }: Behaviour): JsonRecord[] {
  return toolCalls.flatMap(({ name, arguments: text, id }, index) => [
    { index, id: id ?? `call_${index}`, type: 'function', function: { name, arguments: '' } },
    ...slicesOf(text).map((slice) => ({ index, function: { arguments: slice } })),
  ]);
}

function message(said: Said, { toolCalls }: Behaviour): JsonRecord {
  const spoken = { role: 'assistant', content: said.text === '' ? null : said.text, refusal: null };
  if (!toolCalls) return spoken;
  return {
    ...spoken,
    tool_calls: toolCalls.map(({ name, arguments: text, id }, index) => ({
      id: id ?? `call_${index}`,
      type: 'function',
      function: { name, arguments: text },
    })),
  };
}

const errorEvent = ({ errorType = 'server_error' }: Behaviour): string =>
  data({ error: { message: 'practice error', type: errorType, param: null, code: null } });

const finishReason = (said: Said, { toolCalls }: Behaviour): string =>
  said.cut ? 'length' : toolCalls ? 'tool_calls' : 'stop';

const limitOf = (body: JsonRecord): number | null =>
  (body.max_completion_tokens as number | null | undefined) ??
  (body.max_tokens as number | null | undefined) ??
  null;

const tierOf = ({ serviceTier }: Behaviour): JsonRecord => ({ service_tier: serviceTier ?? 'default' });

function usageMember(said: Said, behaviour: Behaviour, choices: number): JsonRecord {
  if (behaviour.withoutUsage) return {};
  if (behaviour.rawUsage !== undefined) return { usage: behaviour.rawUsage };
  const { cached = 0, cacheWrite = 0, reasoning = 0, output } = behaviour.usage ?? {};
  const completionTokens = output ?? said.outputTokens * choices;
  return {
    usage: {
      prompt_tokens: said.inputTokens,
      completion_tokens: completionTokens,
      total_tokens: said.inputTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0, cache_write_tokens: cacheWrite },
      completion_tokens_details: {
        reasoning_tokens: reasoning,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
  };
}
