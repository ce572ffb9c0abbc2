// What may be written into an OpenAI body, and only where the request was silent: that a stream report its usage, and an
// output limit, in the field that the upstream is sure to obey. A member that is there as `null` or `false` is replaced,
// never doubled.

import type { Upstream } from '../../../contract/config/config.ts';
import type { Description, JsonObject, Splice } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { insertMember, memberValue, replaceValue } from '../members.ts';
import { waysOf } from './ways.ts';

const LIMIT_FIELD: Readonly<Record<string, string>> = {
  responses: 'max_output_tokens',
  completions: 'max_tokens',
};

export function splices(
  description: Description,
  body: JsonObject,
  bytes: Buffer,
  outputTokens: number | null,
  _trace?: readonly string[],
  upstream?: Upstream,
): readonly Splice[] {
  const found: Splice[] = [];
  const { name } = description.endpoint;
  const limitField = name === 'chat' ? waysOf(upstream).chatLimit : LIMIT_FIELD[name];
  if (limitField && outputTokens !== null && description.outputTokensMax === null) {
    found.push(setMember(bytes, 0, body, limitField, String(outputTokens)));
  }
  if (description.mustAskForUsage && !waysOf(upstream).reportsUnasked) found.push(askForUsage(body, bytes));
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
