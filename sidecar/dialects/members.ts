// Where a member stands in the bytes of a JSON object: what a splice needs to know. The text has been parsed strictly,
// so this walks it without judging it; keys are compared decoded, since `"str\u0065am"` is `stream`.

import { invariant } from '../../kit/invariant.ts';
import type { Splice } from './dialect.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const COMMA = 0x2c;
const SEPARATOR = Buffer.from(',');
const WHITE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const ENDS_SCALAR = new Set([...WHITE, ...CLOSE, COMMA]);

/** The value of `key` among the members of the object that begins at or after `at`. Undefined when it has no such member. */
export function memberValue(bytes: Buffer, at: number, key: string): Span | undefined {
  let from = skipWhite(bytes, openingBrace(bytes, at) + 1);
  while (bytes[from] === QUOTE) {
    const member = readMember(bytes, from);
    if (member.key === key) return member.value;
    from = member.next;
  }
  return undefined;
}

interface Member extends Span {
  readonly key: string;
  readonly value: Span;
  /** Where the next one begins, or the end of the text. */
  readonly next: number;
}

/** The member whose key's quote is at `start`. */
function readMember(bytes: Buffer, start: number): Member {
  const keyEnd = stringEnd(bytes, start);
  const valueStart = skipWhite(bytes, skipWhite(bytes, keyEnd) + 1);
  const end = valueEnd(bytes, valueStart);
  const comma = skipWhite(bytes, end);
  const next = bytes[comma] === COMMA ? skipWhite(bytes, comma + 1) : bytes.length;
  return { key: decodeKey(bytes, start, keyEnd), start, end, value: { start: valueStart, end }, next };
}

/** The elements of the list that begins at or after `at`, in order. */
export function elements(bytes: Buffer, at: number): Span[] {
  const open = skipWhite(bytes, at);
  invariant(bytes[open] === 0x5b, 'elements are looked for in a list');
  const found: Span[] = [];
  let start = skipWhite(bytes, open + 1);
  while (start < bytes.length && bytes[start] !== 0x5d) {
    const end = valueEnd(bytes, start);
    found.push({ start, end });
    const next = skipWhite(bytes, end);
    start = bytes[next] === COMMA ? skipWhite(bytes, next + 1) : next;
  }
  return found;
}

/**
 * The object without the members in `left`, and with those in `put` first (their values are JSON text) instead of any of
 * the same name. What stays, stays byte for byte, but for the blanks between members.
 */
export function changeMembers(
  bytes: Buffer,
  left: ReadonlySet<string>,
  put: Readonly<Record<string, string>>,
): Buffer {
  const parts: Buffer[] = Object.entries(put).map(([key, value]) =>
    Buffer.from(`${JSON.stringify(key)}:${value}`),
  );
  let from = skipWhite(bytes, openingBrace(bytes, 0) + 1);
  while (bytes[from] === QUOTE) {
    const { key, start, end, next } = readMember(bytes, from);
    if (!left.has(key) && !Object.hasOwn(put, key)) parts.push(bytes.subarray(start, end));
    from = next;
  }
  const separated = parts.flatMap((part, index) => (index === 0 ? [part] : [SEPARATOR, part]));
  return Buffer.concat([Buffer.from('{'), ...separated, Buffer.from('}')]);
}

/** Puts `"key":value` first into the object that begins at or after `at`. */
export function insertMember(bytes: Buffer, at: number, key: string, value: string): Splice {
  return insertText(bytes, at, `${JSON.stringify(key)}:${value}`);
}

/** Puts all of them first into the object that begins at or after `at`; there is at least one. */
export function insertMembers(bytes: Buffer, at: number, members: Readonly<Record<string, string>>): Splice {
  return insertText(bytes, at, JSON.stringify(members).slice(1, -1));
}

function insertText(bytes: Buffer, at: number, members: string): Splice {
  const inside = openingBrace(bytes, at) + 1;
  const empty = bytes[skipWhite(bytes, inside)] === 0x7d;
  return { at: inside, remove: 0, insert: Buffer.from(empty ? members : `${members},`) };
}

export function replaceValue({ start, end }: Span, value: string): Splice {
  return { at: start, remove: end - start, insert: Buffer.from(value) };
}

/** The body with its splices; they never overlap. */
export function applySplices(bytes: Buffer, splices: readonly Splice[]): Buffer {
  if (splices.length === 0) return bytes;
  const parts: Buffer[] = [];
  let from = 0;
  for (const { at, remove, insert } of splices.toSorted((a, b) => a.at - b.at)) {
    invariant(at >= from, 'splices of a body do not overlap');
    parts.push(bytes.subarray(from, at), insert);
    from = at + remove;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

function openingBrace(bytes: Buffer, at: number): number {
  const brace = skipWhite(bytes, at);
  invariant(bytes[brace] === 0x7b, 'members are looked for in an object');
  return brace;
}

function skipWhite(bytes: Buffer, from: number): number {
  let at = from;
  while (WHITE.has(bytes[at]!)) at += 1;
  return at;
}

/** Index after the string that opens at `open`. */
function stringEnd(bytes: Buffer, open: number): number {
  let at = bytes.indexOf(QUOTE, open + 1);
  while (at !== -1) {
    let before = at - 1;
    while (bytes[before] === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 1) return at + 1;
    at = bytes.indexOf(QUOTE, at + 1);
  }
  return bytes.length;
}

function valueEnd(bytes: Buffer, start: number): number {
  const first = bytes[start]!;
  if (first === QUOTE) return stringEnd(bytes, start);
  if (OPEN.has(first)) return containerEnd(bytes, start);
  let at = start;
  while (at < bytes.length && !ENDS_SCALAR.has(bytes[at]!)) at += 1;
  return at;
}

function containerEnd(bytes: Buffer, start: number): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      at = stringEnd(bytes, at);
      continue;
    }
    if (OPEN.has(byte)) depth += 1;
    else if (CLOSE.has(byte)) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return at;
}

function decodeKey(bytes: Buffer, start: number, end: number): string {
  const raw = bytes.toString('utf8', start + 1, end - 1);
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
}
