// Messages by content: a chat tells its whole history with each turn, so each message is kept once, under the hash of its
// bytes, and a span says which. A list of messages becomes a list of hashes, any other text one hash.

import { attributeMap } from './attribute-sql.ts';
import { itemsOf, type Load } from './load-parts.ts';
import { array, attributes, protobufSchema, tuple } from './otlp-schema.ts';
import { quoted } from './sql-text.ts';

/** Attributes that hold what was said, whole. Most spans have none of them. */
const NAMES = [
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'ai.prompt',
  'ai.prompt.messages',
  'ai.prompt.tools',
  'ai.response.text',
  'ai.response.object',
  'ai.response.toolCalls',
  'input.value',
  'output.value',
  'traceloop.entity.input',
  'traceloop.entity.output',
];
/**
 * OpenInference and Traceloop give each part of a message an attribute: `llm.input_messages.0.message.content`.
 * All that stands so is what was said, but for the parts that say its form.
 */
const FAMILIES =
  '^(llm[.](input_messages|output_messages|prompts|choices|tools|request[.]functions)|gen_ai[.](prompt|completion))[.][0-9]+[.]';
const FORM = '[.](role|type|name|id|tool_call_id|function_call_name|finish_reason|mime_type)$';

const IS_BODY = (name: string) =>
  `(${name} IN (${NAMES.map(quoted).join(', ')}) OR match(${name}, '${FAMILIES}') AND NOT match(${name}, '${FORM}'))`;

/**
 * One of them is in every segment that holds messages of a chat, and in few others: out of `….input.messages`, `openinference.…`,
 * `traceloop.entity.…` and `ai.prompt`, `gen_ai.prompt.…`. Six letters at most: from seven on, looking for one takes twice as long.
 */
export const MARKS_OF_BODIES = ['t.mess', 'peninf', 'loop.e', 'i.prom'];

const MESSAGES = 'JSONExtractArrayRaw(text)';
const named = (body: string) => `concat('sha256:', lower(hex(SHA256(${body}))))`;

/** Rows with `own`, a map of attributes, as the same rows with hashes for what was said. Only that is hashed: most is not. */
export const byContent = (rows: string): string => `
  SELECT * EXCEPT (own), mapUpdate(own, mapApply((name, value) -> (name,
      arrayMap((text, list) -> if(empty(list), ${named('text')}, toJSONString(arrayMap(message -> ${named('message')}, list))),
        [value], [JSONExtractArrayRaw(value)])[1]),
    mapFilter((name, value) -> ${IS_BODY('name')} AND value != '', own))) AS own
  FROM (${rows})`;

const SPAN_MESSAGES = `message Span { repeated Attribute attributes = 9; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }`;

/** Loaded before the spans that name them. A body may be another segment's too, so it stays when this one is refused. */
export const BODIES: Load = {
  table: 'message_bodies',
  schema: protobufSchema(SPAN_MESSAGES, 'ResourceSpans', 'resource_spans'),
  isShared: true,
  columns: { hash: 'lower(hex(SHA256(body)))', body: 'body', day: 'day' },
  rows: (source) => `
  SELECT DISTINCT arrayJoin(if(empty(messages), [text], messages)) AS body, day
  FROM (
    SELECT text, ${MESSAGES} AS messages, day
    FROM (
      SELECT arrayJoin(mapValues(${attributeMap('said')})) AS text, toDate(fromUnixTimestamp64Nano(toInt64(received), 'UTC')) AS day
      FROM (${itemsOf(source, {
        parts: 'resource_spans',
        partColumns: [],
        scopes: 'scope_spans',
        scopesType: array(`scope ${tuple('name String')}`, `spans ${array(attributes())}`),
        items: 'spans',
        ofPart: {},
        ofScope: {},
        fields: { said: `arrayFilter(each -> ${IS_BODY('each.key')}, item.attributes)` },
      })})
    )
    WHERE text != ''
  )`,
};
