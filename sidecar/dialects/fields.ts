// Reading a request's fields by their exact JSON type: no coercion, because an upstream that reads `"100"` or `[100]`
// its own way would be held to another limit than the one that was judged. Each reader refuses with `bad_field`.

import { Refusal } from '../../contract/refusals.ts';
import type { Json, JsonObject } from './dialect.ts';

export const IDENTIFIER_CHARS_MAX = 512;

export function badField(field: string, must: string): Refusal {
  return new Refusal('bad_request', `The field \`${field}\` must be ${must}.`, {
    reason: 'bad_field',
    facts: { field },
  });
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Absent and null are the same: every optional field of these APIs is nullable in practice. */
export function optionalBoolean(body: JsonObject, field: string): boolean {
  const value = body[field];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw badField(field, 'true or false');
  return value;
}

export function optionalString(body: JsonObject, field: string): string | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw badField(field, 'a string');
  return value;
}

/** A whole number that a double holds exactly; -0 is none. */
export function optionalCount(body: JsonObject, field: string, min = 0): number | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (!Number.isSafeInteger(value) || (value as number) < min || Object.is(value, -0)) {
    throw badField(field, `a whole number of at least ${min}`);
  }
  return value as number;
}

export function optionalArray(body: JsonObject, field: string): readonly Json[] {
  const value = body[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw badField(field, 'a list');
  return value;
}

export function requiredArray(body: JsonObject, field: string): readonly Json[] {
  if (!Array.isArray(body[field])) throw badField(field, 'a list');
  return body[field];
}

export function optionalObject(body: JsonObject, field: string): JsonObject | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw badField(field, 'an object');
  return value;
}

const PLAIN = /^[\x20-\x7e]+$/;
/** Control and format characters (zero-width joiners), private use, line separators: two names that look alike. */
const DECEIVING = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/u;

/** A name that rules match by its bytes: a model, a tool. */
export function identifier(
  value: Json | undefined,
  field: string,
  charactersMax = IDENTIFIER_CHARS_MAX,
): string {
  if (typeof value !== 'string' || value === '' || value.length > charactersMax) {
    throw badField(field, `a string of 1 to ${charactersMax} characters`);
  }
  if (PLAIN.test(value)) return value;
  if (!value.isWellFormed() || value !== value.normalize('NFC') || DECEIVING.test(value)) {
    throw badField(field, 'free of lone surrogates, invisible characters and decomposed letters');
  }
  return value;
}

const LOWER_CASE = /^[a-z0-9_]*$/;

/**
 * Refuses keys that only a case-insensitive parser (Go's encoding/json: Ollama and others) would take for one of
 * `judged`: `{"model":"cheap","Model":"costly"}`.
 */
export function refuseCaseVariants(object: JsonObject, judged: ReadonlySet<string>): void {
  for (const key of Object.keys(object)) {
    if (LOWER_CASE.test(key)) continue;
    const folded = key.toUpperCase().toLowerCase();
    if (judged.has(folded)) {
      throw new Refusal('bad_request', `A key differs from \`${folded}\` by letter case alone.`, {
        reason: 'case_variant_key',
        facts: { field: folded },
      });
    }
  }
}

/** Names by their lower-case form, for `refuseOtherCase`. */
export const foldedNames = (names: readonly string[]): ReadonlyMap<string, string> =>
  new Map(names.map((name) => [name.toLowerCase(), name]));

/** As `refuseCaseVariants`, for APIs whose own names hold capitals: `{"maxTokens":1,"maxtokens":9}`. */
export function refuseOtherCase(object: JsonObject, judged: ReadonlyMap<string, string>): void {
  for (const key of Object.keys(object)) {
    const name = judged.get(key.toUpperCase().toLowerCase());
    if (name === undefined || name === key) continue;
    throw new Refusal('bad_request', `A key differs from \`${name}\` by letter case alone.`, {
      reason: 'case_variant_key',
      facts: { field: name },
    });
  }
}
