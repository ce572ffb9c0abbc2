// JSON as RFC 8259 means it, and no more: what was judged must be what the upstream reads, so every text that two
// parsers could read differently is refused (a key twice, a byte order mark, bad UTF-8, a number no double can hold).
// One cheap scan of the text bounds depth, keys, lists, values and numbers before the native parser allocates anything;
// the keys that survive its parse are then counted against those scanned, which finds duplicates without a set per object.

import { isAscii, isUtf8 } from 'node:buffer';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export const JSON_DEPTH_MAX = 64;
export const JSON_KEYS_MAX = 100_000;
/** Objects and lists together: an empty one is three bytes of text and fifty of memory. */
export const JSON_NODES_MAX = 200_000;
/** Whatever stands in a list or object, numbers above all: a million tokens to embed. */
export const JSON_VALUES_MAX = 1_000_000;
/** No number needs more: the longest exact double has 767 significant digits. */
export const JSON_NUMBER_CHARS_MAX = 1_100;

export interface JsonLimits {
  readonly depthMax?: number;
  readonly keysMax?: number;
}

export const STRICT_JSON_REASONS = [
  'malformed_json',
  'dup_key',
  'too_deep',
  'too_many_keys',
  'too_many_values',
  'not_utf8',
  'number_range',
] as const;
export type StrictJsonReason = (typeof STRICT_JSON_REASONS)[number];

export class StrictJsonError extends Error {
  override name = 'StrictJsonError';
  readonly reason: StrictJsonReason;

  constructor(reason: StrictJsonReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The value of `bytes`. A key named `__proto__` is an own property like any other.
 * Throws StrictJsonError; its message never quotes the text.
 */
export function parseStrict(bytes: Buffer, limits: JsonLimits = {}): JsonValue {
  const text = decode(bytes);
  const keys = scan(text, limits.depthMax ?? JSON_DEPTH_MAX, limits.keysMax ?? JSON_KEYS_MAX);
  const value = parse(text);
  if (countKeys(value) !== keys) {
    throw new StrictJsonError('dup_key', 'The JSON text holds the same key twice in one object.');
  }
  return value;
}

function decode(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new StrictJsonError('not_utf8', 'The JSON text is not valid UTF-8.');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new StrictJsonError('malformed_json', 'The JSON text begins with a byte order mark.');
  }
  return bytes.toString('utf8');
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new StrictJsonError('malformed_json', `The body is not JSON${position(cause)}.`);
  }
}

/** V8 quotes the text around the fault, which may be a prompt; only the position is passed on. */
function position(cause: unknown): string {
  const found = cause instanceof SyntaxError ? /at position \d+/.exec(cause.message) : null;
  return found ? ` (${found[0]})` : '';
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;

/** How many members the text's objects have in all, if it is JSON; garbage is left to the parser. */
function scan(text: string, depthMax: number, keysMax: number): number {
  let depth = 0;
  let keys = 0;
  let nodes = 0;
  let commas = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    switch (code) {
      case QUOTE:
        at = endOfString(text, at + 1);
        break;
      case COLON:
        keys += 1;
        if (keys > keysMax) throw tooMany(keysMax);
        break;
      case COMMA:
        commas += 1;
        if (commas > JSON_VALUES_MAX) throw tooManyValues(JSON_VALUES_MAX, 'values');
        break;
      case 123: // {
      case 91: // [
        depth += 1;
        if (depth > depthMax) throw tooDeep(depthMax);
        nodes += 1;
        if (nodes > JSON_NODES_MAX) throw tooManyValues(JSON_NODES_MAX, 'objects and lists');
        break;
      case 125: // }
      case 93: // ]
        depth -= 1;
        break;
      default:
        if (isNumberish(code)) at = endOfNumber(text, at);
    }
  }
  return keys;
}

const isNumberish = (code: number): boolean => (code >= 48 && code <= 57) || code === 45 || code === 46;

/** Index of the last digit of the number, or what looks like one, that begins at `from`. */
function endOfNumber(text: string, from: number): number {
  let at = from;
  while (isNumberish(text.charCodeAt(at + 1))) at += 1;
  if (at - from < JSON_NUMBER_CHARS_MAX) return at;
  throw new StrictJsonError('number_range', `A number has more than ${JSON_NUMBER_CHARS_MAX} digits.`);
}

const tooMany = (max: number): StrictJsonError =>
  new StrictJsonError('too_many_keys', `The JSON text has more than ${max} keys.`);

const tooManyValues = (max: number, what: string): StrictJsonError =>
  new StrictJsonError('too_many_values', `The JSON text has more than ${max} ${what}.`);

const tooDeep = (max: number): StrictJsonError =>
  new StrictJsonError('too_deep', `The JSON text is nested deeper than ${max} levels.`);

/** Index of the quote that closes the string whose text begins at `from`; the text's end when none does. */
function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote !== -1) {
    let before = quote - 1;
    while (before >= from && text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 1) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}

/** Members of all objects within `value`; its numbers are checked on the way. */
function countKeys(value: JsonValue): number {
  if (typeof value === 'number' && (value === Infinity || value === -Infinity)) {
    throw new StrictJsonError('number_range', 'A number is beyond the range of a double.');
  }
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item !== 'string') count += countKeys(item);
    return count;
  }
  for (const key in value) {
    count += 1;
    const member = value[key]!;
    if (typeof member !== 'string') count += countKeys(member);
  }
  return count;
}
