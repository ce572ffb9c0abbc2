// What may be written into a Bedrock body: an output limit, where the request named none. Its place differs by API and,
// in an invoke, by the model's maker; Anthropic's format requires one, so nothing is ever written there.

import type { Description, JsonObject, Splice } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { insertMember, memberValue, replaceValue } from '../members.ts';
import { familyFor } from './describe-invoke.ts';
import { type FamilyName, limitTaken } from './families.ts';

type Place = readonly [object: string | null, member: string];

const CONVERSE: Place = ['inferenceConfig', 'maxTokens'];
const PLACES: Readonly<Partial<Record<FamilyName, Place>>> = {
  nova: CONVERSE,
  llama: [null, 'max_gen_len'],
  mistral: [null, 'max_tokens'],
  titan_text: ['textGenerationConfig', 'maxTokenCount'],
};

export function splices(
  { endpoint, model, outputTokensMax }: Description,
  body: JsonObject,
  bytes: Buffer,
  outputTokens: number | null,
): readonly Splice[] {
  if (outputTokens === null || outputTokensMax !== null || endpoint.operation === 'embeddings') return [];
  const invoked = endpoint.name.startsWith('invoke');
  const place = invoked ? PLACES[familyFor(model ?? '', body)] : CONVERSE;
  return place ? [write(place, body, bytes, String(limitTaken(model ?? '', outputTokens)))] : [];
}

function write([object, member]: Place, body: JsonObject, bytes: Buffer, value: string): Splice {
  if (object === null) return setMember(bytes, 0, body, member, value);
  const inside = body[object];
  if (!isObject(inside)) return setMember(bytes, 0, body, object, `{"${member}":${value}}`);
  return setMember(bytes, memberValue(bytes, 0, object)!.start, inside, member, value);
}

function setMember(bytes: Buffer, at: number, object: JsonObject, key: string, value: string): Splice {
  if (!Object.hasOwn(object, key)) return insertMember(bytes, at, key, value);
  return replaceValue(memberValue(bytes, at, key)!, value);
}
