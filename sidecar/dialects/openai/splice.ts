// What may be written into an OpenAI body, and only where the request was silent: that a stream report its usage, and an
// output limit. A member that is there as `null` or `false` is replaced, never doubled.

import type { Description, JsonObject, Splice } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { insertMember, memberValue, replaceValue } from '../members.ts';

const LIMIT_FIELD: Readonly<Record<string, string>> = {
  chat: 'max_completion_tokens',
  responses: 'max_output_tokens',
  completions: 'max_tokens',
};

export function splices(
  description: Description,
  body: JsonObject,
  bytes: Buffer,
  outputTokens: number | null,
): readonly Splice[] {
  const found: Splice[] = [];
  const limitField = LIMIT_FIELD[description.endpoint.name];
  if (limitField && outputTokens !== null && description.outputTokensMax === null) {
    found.push(setMember(bytes, 0, body, limitField, String(outputTokens)));
  }
  if (description.mustAskForUsage) found.push(askForUsage(body, bytes));
  return found;
}

function askForUsage(body: JsonObject, bytes: Buffer): Splice {
  const options = body.stream_options;
  if (!isObject(options)) return setMember(bytes, 0, body, 'stream_options', '{"include_usage":true}');
  const { start } = memberValue(bytes, 0, 'stream_options')!;
  return setMember(bytes, start, options, 'include_usage', 'true');
}

function setMember(bytes: Buffer, at: number, object: JsonObject, key: string, value: string): Splice {
  if (!Object.hasOwn(object, key)) return insertMember(bytes, at, key, value);
  return replaceValue(memberValue(bytes, at, key)!, value);
}
