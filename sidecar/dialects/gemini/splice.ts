// What may be written into a Gemini body: an output limit where the request named none, in `generationConfig` and in the
// spelling the request uses for it.

import type { Description, JsonObject, Splice } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { insertMember, memberValue, replaceValue } from '../members.ts';
import { snakeCase, spelled } from './spelling.ts';

const CONFIG = 'generationConfig';
const LIMIT = 'maxOutputTokens';

export function splices(
  { endpoint, outputTokensMax }: Description,
  body: JsonObject,
  bytes: Buffer,
  outputTokens: number | null,
): readonly Splice[] {
  if (endpoint.operation !== 'generate_content' || outputTokens === null || outputTokensMax !== null)
    return [];
  const key = spelled(body, CONFIG);
  if (key === undefined) return [insertMember(bytes, 0, CONFIG, JSON.stringify({ [LIMIT]: outputTokens }))];
  const limit = key === CONFIG ? LIMIT : snakeCase(LIMIT);
  const config = body[key];
  const value = memberValue(bytes, 0, key)!;
  if (!isObject(config)) return [replaceValue(value, JSON.stringify({ [limit]: outputTokens }))];
  const named = spelled(config, LIMIT);
  return named === undefined
    ? [insertMember(bytes, value.start, limit, String(outputTokens))]
    : [replaceValue(memberValue(bytes, value.start, named)!, String(outputTokens))];
}
