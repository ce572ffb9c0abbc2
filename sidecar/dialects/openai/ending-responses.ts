// Ends a stream of the Responses API as its provider does at `max_output_tokens`: what is open is closed as incomplete,
// then comes the whole response as far as it was seen. For that the items are kept while they stream past.
// (platform.openai.com/docs/api-reference/responses-streaming)

import { objectOrNull, stringOrNull } from '../counts.ts';
import type { Description, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';

export interface ResponsesEnding {
  take(type: string, event: JsonObject): void;
  events(outputTokens: number): string;
}

/** Where a kind of text stands in its item, by the type of its deltas without `.delta`. */
const TEXTS: Readonly<
  Record<string, { list?: 'content' | 'summary'; field: string; part?: string; of?: string }>
> = {
  'response.output_text': {
    list: 'content',
    field: 'text',
    part: 'output_text',
    of: 'response.content_part',
  },
  'response.refusal': { list: 'content', field: 'refusal', part: 'refusal', of: 'response.content_part' },
  'response.reasoning_text': {
    list: 'content',
    field: 'text',
    part: 'reasoning_text',
    of: 'response.content_part',
  },
  'response.reasoning_summary_text': {
    list: 'summary',
    field: 'text',
    part: 'summary_text',
    of: 'response.reasoning_summary_part',
  },
  'response.function_call_arguments': { field: 'arguments' },
  'response.mcp_call_arguments': { field: 'arguments' },
  'response.custom_tool_call_input': { field: 'input' },
  'response.code_interpreter_call_code': { field: 'code' },
};

interface Text {
  readonly kind: string;
  readonly part: number;
  pieces: string[];
  open: boolean;
}

interface Item {
  item: JsonObject;
  open: boolean;
  readonly texts: Map<string, Text>;
}

/** Pieces of one text are joined now and then: thousands of single tokens would cost many times their length. */
const PIECES_MAX = 256;
/** Of one answer more than this is not kept: the whole response is then given without the rest. */
const KEPT_CHARS_MAX = 4 * 1024 * 1024;

export function readResponsesEnding(description: Description): ResponsesEnding {
  const items = new Map<number, Item>();
  let head: JsonObject = {};
  let sequence = 0;
  let kept = 0;

  function takeDelta(kind: string, event: JsonObject): void {
    const item = items.get(Number(event.output_index));
    const piece = stringOrNull(event.delta);
    if (!item || piece === null || kept > KEPT_CHARS_MAX) return;
    kept += piece.length;
    const part = Number(event.content_index ?? event.summary_index ?? 0);
    const key = `${kind} ${part}`;
    let text = item.texts.get(key);
    if (!text) {
      text = { kind, part, pieces: [], open: true };
      item.texts.set(key, text);
    }
    text.pieces.push(piece);
    if (text.pieces.length >= PIECES_MAX) text.pieces = [text.pieces.join('')];
  }

  function closeText(kind: string, event: JsonObject): void {
    const part = Number(event.content_index ?? event.summary_index ?? 0);
    const text = items.get(Number(event.output_index))?.texts.get(`${kind} ${part}`);
    if (text) text.open = false;
  }

  function write(type: string, rest: JsonObject): string {
    sequence += 1;
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...rest })}\n\n`;
  }

  function close(index: number, { item, texts }: Item, finished: JsonObject): string {
    const where = { item_id: stringOrNull(item.id) ?? '', output_index: index };
    const ends = [...texts.values()]
      .filter(({ open }) => open)
      .map((text) => endOfText(text, where, finished));
    return ends
      .flat()
      .map(([type, rest]) => write(type, rest))
      .join('');
  }

  return {
    take(type, event) {
      if (Number.isSafeInteger(event.sequence_number)) sequence = event.sequence_number as number;
      if (isObject(event.response)) head = event.response;
      if (type === 'response.output_item.added' && isObject(event.item))
        items.set(Number(event.output_index), { item: event.item, open: true, texts: new Map() });
      else if (type === 'response.output_item.done' && isObject(event.item))
        items.set(Number(event.output_index), { item: event.item, open: false, texts: new Map() });
      else if (type.endsWith('.delta')) {
        const kind = type.slice(0, -'.delta'.length);
        if (Object.hasOwn(TEXTS, kind)) takeDelta(kind, event);
      } else if (type.endsWith('.done')) closeText(type.slice(0, -'.done'.length), event);
    },
    events(outputTokens) {
      const output: Json[] = [];
      let text = '';
      for (const [index, item] of [...items].sort(([a], [b]) => a - b)) {
        const finished = item.open ? finishedItem(item) : item.item;
        if (item.open) {
          text += close(index, item, finished);
          text += write('response.output_item.done', { output_index: index, item: finished });
        }
        output.push(finished);
      }
      const response: JsonObject = {
        ...head,
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output,
        usage: usageOf(description, outputTokens),
      };
      return text + write('response.incomplete', { response });
    },
  };
}

/** An item as announced, with what came of its texts. */
function finishedItem({ item, texts }: Item): JsonObject {
  const finished: JsonObject = { ...item, status: 'incomplete' };
  for (const { kind, part, pieces } of texts.values()) {
    const { list, field, part: type } = TEXTS[kind]!;
    const text = pieces.join('');
    if (!list) {
      finished[field] = text;
      continue;
    }
    const parts: Json[] = Array.isArray(finished[list]) ? [...finished[list]] : [];
    parts[part] = partOf(type!, field, text);
    finished[list] = parts.filter((each) => each !== undefined);
  }
  return finished;
}

const partOf = (type: string, field: string, text: string): JsonObject =>
  type === 'output_text' ? { type, text, annotations: [], logprobs: [] } : { type, [field]: text };

/** The events that close one open text: the text, then the part that holds it. */
function endOfText(
  { kind, part, pieces }: Text,
  where: JsonObject,
  item: JsonObject,
): [string, JsonObject][] {
  const { list, field, part: type, of } = TEXTS[kind]!;
  const text = pieces.join('');
  const at: JsonObject = list
    ? { ...where, [list === 'summary' ? 'summary_index' : 'content_index']: part }
    : where;
  const said: JsonObject = { ...at, [field]: text };
  if (type === 'output_text') said.logprobs = [];
  if (field === 'arguments') said.name = objectOrNull(item)?.name ?? '';
  const ended: [string, JsonObject] = [`${kind}.done`, said];
  return list ? [ended, [`${of}.done`, { ...at, part: partOf(type!, field, text) }]] : [ended];
}

/** Null where the input could be anything up to the model's window. */
function usageOf({ inputTokensMax }: Description, outputTokens: number): JsonObject | null {
  if (inputTokensMax === 'context_window') return null;
  return {
    input_tokens: inputTokensMax,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokensMax + outputTokens,
  };
}
