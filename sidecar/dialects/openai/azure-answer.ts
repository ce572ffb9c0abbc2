// An answer of Azure's as OpenAI would give it: without what its content filter found, which comes as members of its own, as
// a first chunk without choices, and, where the filter runs beside the stream, as chunks without a delta: many clients of
// OpenAI's fail on those.
// Source: learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming; github.com/openai/openai-python/issues/1677

import type { CarriedAnswer } from '../bridge.ts';
import type { AnswerHead, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { rewriteEvents } from '../rewrite-events.ts';
import { rewriteBytes, rewriteWhole } from '../rewrite-whole.ts';
import { isEventStream } from '../sse.ts';
import { parse } from '../stream-meter.ts';

const FOUND = ['prompt_filter_results', 'prompt_annotations', 'content_filters'];
const FOUND_IN_CHOICE = [
  'content_filter_results',
  'content_filter_result',
  'content_filter_offsets',
  'content_filter_raw',
];
/** All of them, in any text that holds one. */
const TRACES = ['_filter', 'prompt_annotations'];

export function plainAnswer(status: number, head: AnswerHead): CarriedAnswer {
  if (status >= 300) return { rewriter: rewriteWhole(errorOf), headers: {} };
  const streamed = isEventStream(head.header('content-type') ?? '');
  const rewriter = streamed ? rewriteEvents(plainEvent) : rewriteBytes((bytes) => plainEvent(bytes) ?? bytes);
  return { rewriter, headers: {} };
}

/** Null where nothing but findings was in it. */
function plainEvent(data: Buffer): Buffer | null {
  if (!TRACES.some((trace) => data.includes(trace))) return data;
  const event = parse(data.toString());
  if (!isObject(event)) return data;
  const plain = without(event, FOUND);
  if (isObject(plain.response)) plain.response = without(plain.response, FOUND);
  if (Array.isArray(event.choices)) {
    const choices = event.choices.flatMap(plainChoice);
    if (choices.length === 0 && !isObject(event.usage)) return null;
    plain.choices = choices;
  }
  return Buffer.from(JSON.stringify(plain));
}

function plainChoice(choice: Json): Json[] {
  if (!isObject(choice)) return [choice];
  const plain = without(choice, FOUND_IN_CHOICE);
  if (['delta', 'message', 'text'].some((name) => (plain[name] ?? null) !== null)) return [plain];
  return (plain.finish_reason ?? null) === null ? [] : [{ ...plain, delta: {} }];
}

const without = (object: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** What stands before Azure's API answers `{statusCode,message}`. */
function errorOf(answer: JsonObject): JsonObject {
  const { statusCode, message } = answer;
  if (isObject(answer.error) || typeof message !== 'string') return answer;
  return {
    error: { message, type: null, param: null, code: statusCode === undefined ? null : String(statusCode) },
  };
}
