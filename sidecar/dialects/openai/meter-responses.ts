// Metering the Responses API. A stream's last event (`response.completed`, `.incomplete` or `.failed`) holds the whole
// response with its usage; output items say which tools the agent shall run, and which ran at the provider.

import { bytesOf, objectOrNull, stringOrNull } from '../counts.ts';
import type { Description, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, ToolRequest } from '../metered.ts';
import { type AnswerReader, NOTHING_METERED } from '../stream-meter.ts';
import { TOOL_REQUESTS_MAX, toolRequest } from '../tool-requests.ts';
import { visibleOutput } from '../visible-output.ts';
import { readResponsesEnding } from './ending-responses.ts';
import { errorOf } from './meter-chat.ts';
import { readUsage } from './usage.ts';

const LAST = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** Sound, pictures and what a tool at the provider writes are no text of the model's. */
const MADE_BY_MODEL = /(?:_text|\.refusal|_arguments|_input|_code)\.delta$/;

export function readResponses(description: Description): AnswerReader {
  const visible = visibleOutput();
  const ending = readResponsesEnding(description);
  let cut = false;
  let outputBytesSeen = 0;
  let head: Metered = NOTHING_METERED;
  let last: Metered | null = null;
  let errorType: string | null = null;
  const items: JsonObject[] = [];

  return {
    take(event) {
      const type = stringOrNull(event.type) ?? '';
      const response = objectOrNull(event.response);
      ending.take(type, event);
      if (type.endsWith('.delta')) {
        outputBytesSeen += bytesOf(event.delta);
        if (MADE_BY_MODEL.test(type)) visible.take(event.delta, Number(event.output_index));
      } else if (type === 'response.output_item.done' && isObject(event.item)) keepItem(items, event.item);
      else if (LAST.has(type) && response) last = readWholeResponse(response);
      else if (type === 'error') errorType = stringOrNull(event.code) ?? errorOf(event) ?? 'error';
      else if (response) head = { ...readWholeResponse(response), usage: null, finishReasons: [] };
      else errorType ??= errorOf(event);
      return false;
    },
    done: () => undefined,
    outputTokensSeen: () => visible.tokens(),
    ending() {
      cut = true;
      return ending.events(visible.tokens());
    },
    result() {
      const metered = last ?? { ...head, toolRequests: toolRequestsOf(items) };
      return {
        ...metered,
        outputBytesSeen: Math.max(outputBytesSeen, metered.outputBytesSeen),
        errorType: errorType ?? metered.errorType,
        ...(cut && last === null && { finishReasons: ['max_output_tokens'] }),
        complete: last !== null,
      };
    },
  };
}

export function readWholeResponse(response: JsonObject): Metered {
  const output = (Array.isArray(response.output) ? response.output : []).filter(isObject);
  const reason =
    stringOrNull(objectOrNull(response.incomplete_details)?.reason) ?? stringOrNull(response.status);
  return {
    ...NOTHING_METERED,
    usage: readUsage(response.usage, hostedUsesOf(output)),
    outputBytesSeen: output.reduce((bytes, item) => bytes + visibleBytes(item), 0),
    model: stringOrNull(response.model),
    responseId: stringOrNull(response.id),
    finishReasons: reason === null ? [] : [reason],
    serviceTier: stringOrNull(response.service_tier),
    toolRequests: toolRequestsOf(output),
    errorType: stringOrNull(objectOrNull(response.error)?.code) ?? errorOf(response),
  };
}

/** Only what `toolRequestsOf` reads is kept of a stream's items: their text would be the whole answer. */
function keepItem(items: JsonObject[], item: JsonObject): void {
  if (items.length < TOOL_REQUESTS_MAX && asked(item)) items.push(item);
}

function toolRequestsOf(items: readonly JsonObject[]): ToolRequest[] {
  return items.flatMap((item) => asked(item) ?? []).slice(0, TOOL_REQUESTS_MAX);
}

/** A request to the agent, or null for items that are none. Built-in actions are hashed as they came. */
function asked(item: JsonObject): ToolRequest | null {
  const id = stringOrNull(item.call_id) ?? stringOrNull(item.id) ?? '';
  switch (item.type) {
    case 'function_call':
      return toolRequest(stringOrNull(item.name) ?? '', id, stringOrNull(item.arguments) ?? '');
    case 'custom_tool_call':
      return toolRequest(stringOrNull(item.name) ?? '', id, stringOrNull(item.input) ?? '');
    case 'computer_call':
      return toolRequest('computer', id, JSON.stringify(item.action ?? item.actions ?? null));
    case 'local_shell_call':
      return toolRequest('local_shell', id, JSON.stringify(item.action ?? null));
    case 'apply_patch_call':
      return toolRequest('apply_patch', id, JSON.stringify(item.operation ?? null));
    case 'shell_call':
      return runsHosted(item) ? null : toolRequest('shell', id, JSON.stringify(item.action ?? null));
    default:
      return null;
  }
}

const HOSTED_CALL = /^(web_search|file_search|code_interpreter|image_generation|mcp|tool_search)_call$/;

const runsHosted = (item: JsonObject): boolean => {
  const environment = objectOrNull(item.environment);
  return environment !== null && environment.type !== 'local';
};

function hostedUsesOf(items: readonly JsonObject[]): Record<string, number> {
  const uses: Record<string, number> = {};
  for (const item of items) {
    const type = HOSTED_CALL.exec(stringOrNull(item.type) ?? '')?.[1];
    if (type !== undefined) uses[type] = (uses[type] ?? 0) + 1;
  }
  return uses;
}

/** Text, refusals, reasoning that is shown, tool arguments: whatever of an item a model wrote. */
function visibleBytes(item: JsonObject): number {
  const parts: Json[] = [item.content, item.summary].flatMap((list) => (Array.isArray(list) ? list : []));
  const texts = parts.reduce<number>(
    (bytes, part) => bytes + (isObject(part) ? bytesOf(part.text) + bytesOf(part.refusal) : 0),
    0,
  );
  return texts + bytesOf(item.arguments) + bytesOf(item.input) + bytesOf(item.name) + bytesOf(item.code);
}
