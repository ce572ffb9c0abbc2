// Google's JSON has two spellings of every field, `maxOutputTokens` and `max_output_tokens`, and takes either. Both in
// one object, or a third by letter case, could be read there as another value than the one judged here: refused.

import { Refusal } from '../../../contract/refusals.ts';
import type { JsonObject } from '../dialect.ts';

interface Spelling {
  readonly camel: string;
  readonly snake: string;
}

/** The fields of one kind of object, by what their spellings have in common. */
export type Fields = ReadonlyMap<string, Spelling>;

/** From names in lowerCamelCase with white space between. */
export const fields = (names: string): Fields =>
  new Map(
    names
      .trim()
      .split(/\s+/)
      .map((camel) => [folded(camel), { camel, snake: snakeCase(camel) }]),
  );

export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);

const folded = (key: string): string => key.replaceAll('_', '').toUpperCase().toLowerCase();

/** The members of `object` that `known` names, by their lowerCamelCase names; others are left out. */
export function judged(object: JsonObject, known: Fields): JsonObject {
  const found: JsonObject = {};
  for (const key of Object.keys(object)) {
    const spelling = known.get(folded(key));
    if (!spelling) continue;
    if (key !== spelling.camel && key !== spelling.snake) {
      throw ambiguous(`A key differs from \`${spelling.camel}\` by letter case alone.`, spelling);
    }
    if (Object.hasOwn(found, spelling.camel)) {
      throw ambiguous(`The field \`${spelling.camel}\` is there in both of its spellings.`, spelling);
    }
    found[spelling.camel] = object[key]!;
  }
  return found;
}

/** The keys of `object` that `known` does not name. */
export const unknownKeys = (object: JsonObject, known: Fields): string[] =>
  Object.keys(object).filter((key) => !known.has(folded(key)));

/** The key under which `object` holds the field, as it is spelled there; undefined when it does not. */
export const spelled = (object: JsonObject, camel: string): string | undefined =>
  [camel, snakeCase(camel)].find((key) => Object.hasOwn(object, key));

function ambiguous(sentence: string, { camel }: Spelling): Refusal {
  return new Refusal('bad_request', sentence, { reason: 'case_variant_key', facts: { field: camel } });
}
