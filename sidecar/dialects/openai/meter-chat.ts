// Metering chat completions and legacy completions, whole and streamed. A stream's usage comes in a last chunk without
// choices; finish reasons come before it, so neither ends the reading. Azure's first chunk also has no choices, but no
// usage either. Others who speak this API report it unasked in the last choice's chunk (Mistral), or under a name of
// their own (Groq's `x_groq`).

import { bytesOf, larger, objectOrNull, stringOrNull } from '../counts.ts';
import type { Description, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, Usage } from '../metered.ts';
import { type AnswerReader, NOTHING_METERED } from '../stream-meter.ts';
import { readToolRequests, type ToolRequestsReader } from '../tool-requests.ts';
import { type VisibleOutput, visibleOutput } from '../visible-output.ts';
import { readChatEnding } from './ending-chat.ts';
import { readUsage } from './usage.ts';

export function readChat(description: Description): AnswerReader {
  const tools = readToolRequests();
  const visible = visibleOutput();
  const ending = readChatEnding(description);
  const finishReasons: string[] = [];
  const hostedUses = description.hostedTools.includes('web_search') ? { web_search: 1 } : {};
  let usage: Usage | null = null;
  let nonsense = false;
  const seen = { ...NOTHING_METERED, model: null as string | null, responseId: null as string | null };
  let serviceTier: string | null = null;
  let errorType: string | null = null;
  let outputBytesSeen = 0;
  let complete = false;
  const tokens = (): number => Math.max(usage?.outputTokens ?? 0, visible.tokens() - echoed(description));

  return {
    take(event) {
      seen.model = stringOrNull(event.model) ?? seen.model;
      seen.responseId = stringOrNull(event.id) ?? seen.responseId;
      serviceTier = stringOrNull(event.service_tier) ?? serviceTier;
      errorType ??= errorOf(event);
      const given = event.usage ?? objectOrNull(event.x_groq)?.usage;
      if (given != null) {
        const reported = readUsage(given, hostedUses);
        if (reported) usage = larger(usage, reported);
        else nonsense = true;
      }
      const choices = Array.isArray(event.choices) ? event.choices : [];
      for (const choice of choices)
        if (isObject(choice)) outputBytesSeen += takeChoice(choice, finishReasons, tools, visible);
      ending.take(event, choices);
      return choices.length === 0 && Array.isArray(event.choices) && isObject(event.usage);
    },
    done() {
      complete = true;
    },
    outputTokensSeen: tokens,
    ending() {
      const left = ending.openChoices();
      for (const _ of left) finishReasons.push('length');
      return ending.events(left, usage, tokens());
    },
    result: () => ({
      ...seen,
      serviceTier,
      errorType,
      outputBytesSeen,
      finishReasons,
      complete,
      usage: nonsense ? null : usage,
      toolRequests: tools.result(),
    }),
  };
}

/** A whole answer is one event whose choices hold a `message` in place of a `delta`. */
export function readWholeChat(description: Description, answer: JsonObject): Metered {
  const reader = readChat(description);
  reader.take(answer);
  return reader.result();
}

/** Bytes of output seen in one choice. */
function takeChoice(
  choice: JsonObject,
  finishReasons: string[],
  tools: ToolRequestsReader,
  visible: VisibleOutput,
): number {
  const key = Number(choice.index ?? 0);
  const reason = stringOrNull(choice.finish_reason);
  if (reason !== null) finishReasons.push(reason);
  const said = objectOrNull(choice.delta) ?? objectOrNull(choice.message);
  let bytes = bytesOf(choice.text);
  visible.take(choice.text, key);
  if (!said) return bytes;
  bytes += contentBytes(said.content) + bytesOf(said.refusal);
  bytes += Math.max(bytesOf(said.reasoning_content), bytesOf(said.reasoning));
  visible.take(said.content, key);
  visible.take(said.refusal, key);
  visible.take(said.reasoning_content ?? said.reasoning, key);
  const calls = Array.isArray(said.tool_calls) ? said.tool_calls : [];
  calls.forEach((call, position) => {
    if (isObject(call)) bytes += takeCall(call, `${key}/${call.index ?? position}`, tools, visible);
  });
  const legacy = objectOrNull(said.function_call);
  if (legacy) bytes += takeCall({ function: legacy }, `${key}/function_call`, tools, visible);
  return bytes;
}

/** Text; or a list of text and of thinking, which holds text again (Mistral). */
function contentBytes(content: Json | undefined): number {
  if (!Array.isArray(content)) return bytesOf(content);
  let bytes = 0;
  for (const part of content) {
    if (!isObject(part)) continue;
    bytes += bytesOf(part.text);
    const thinking = Array.isArray(part.thinking) ? part.thinking : [];
    for (const thought of thinking) if (isObject(thought)) bytes += bytesOf(thought.text);
  }
  return bytes;
}

/** A completion may repeat its prompt, which is no output; whether it does is not worth knowing. */
const echoed = ({ endpoint, inputTokensMax, choices }: Description): number =>
  endpoint.name === 'completions' && inputTokensMax !== 'context_window' ? inputTokensMax * choices : 0;

function takeCall(call: JsonObject, key: string, tools: ToolRequestsReader, visible: VisibleOutput): number {
  const asked = objectOrNull(call.function) ?? objectOrNull(call.custom);
  const text = stringOrNull(asked?.arguments) ?? stringOrNull(asked?.input) ?? '';
  const name = stringOrNull(asked?.name) ?? '';
  visible.take(text, key);
  tools.take(key, { id: stringOrNull(call.id) ?? '', name, argumentsText: text });
  return Buffer.byteLength(text) + Buffer.byteLength(name);
}

/** The type of an error body, or of an error inside a stream that began with 200. */
export function errorOf(event: JsonObject): string | null {
  const error: Json | undefined = event.error;
  if (typeof error === 'string') return 'error';
  if (!isObject(error)) return null;
  return stringOrNull(error.type) ?? stringOrNull(error.code) ?? 'error';
}
