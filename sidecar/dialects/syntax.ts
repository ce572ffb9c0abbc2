// JSON around a text that no model reads. A body's bytes bound its text, and so they still do without the bytes that a
// message must spend, in the tersest spelling there is, on saying that it is one: whatever else a body holds (blanks,
// escapes, other members) only makes it longer, and none of that is taken off.

import type { Json } from './dialect.ts';
import { isObject } from './fields.ts';

const MESSAGE_BYTES = '{"role":"","content":""}'.length;
const CONTENT_BYTES = '{"role":"","parts":[]}'.length;
const PART_BYTES = '{"text":""}'.length;
const TYPED_PART_BYTES = '{"type":"","text":""}'.length;

/** Bytes of messages, contents or parts that are syntax for certain. */
export function syntaxBytes(items: readonly Json[]): number {
  let bytes = 0;
  for (const item of items) bytes += syntaxOf(item);
  return bytes;
}

function syntaxOf(item: Json): number {
  if (!isObject(item)) return 0;
  const { role, content, parts } = item;
  if (typeof role !== 'string') return partSyntax(item);
  if (typeof content === 'string') return MESSAGE_BYTES;
  if (Array.isArray(content)) return MESSAGE_BYTES + sumOfParts(content);
  return Array.isArray(parts) ? CONTENT_BYTES + sumOfParts(parts) : 0;
}

function sumOfParts(parts: readonly Json[]): number {
  let bytes = 0;
  for (const part of parts) bytes += partSyntax(part);
  return bytes;
}

function partSyntax(part: Json): number {
  if (!isObject(part) || typeof part.text !== 'string') return 0;
  return typeof part.type === 'string' ? TYPED_PART_BYTES + part.type.length : PART_BYTES;
}

/** True when an object has no member but these. */
export function hasOnly(object: object, names: ReadonlySet<string>): boolean {
  for (const name of Object.keys(object)) if (!names.has(name)) return false;
  return true;
}
