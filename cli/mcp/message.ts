// What the ends of the pipe need to know of a message to carry it: whose answer it is, and what its headers must repeat.
// Nothing is judged here; the sidecar in between does that. Ids are kept as written, for one may be a number that no double holds.

import type { Json, JsonObject } from '../../sidecar/dialects/dialect.ts';
import { isObject } from '../../sidecar/dialects/fields.ts';
import { NAMED_BY } from '../../sidecar/dialects/mcp/headers.ts';
import { VERSION_MEMBER } from '../../sidecar/dialects/mcp/versions.ts';
import { memberValue } from '../../sidecar/dialects/members.ts';

export interface Carried {
  /** Of the requests in it, as written: more than one in a batch. */
  readonly requests: readonly string[];
  /** Of the responses in it, as written. */
  readonly responses: readonly string[];
  /** The one message's own; empty in a batch. */
  readonly message: JsonObject;
}

export const NOTHING_CARRIED: Carried = { requests: [], responses: [], message: {} };

/** Null for what is no message, nor a list of messages. */
export function readCarried(bytes: Buffer): Carried | null {
  const value = parsed(bytes);
  if (isObject(value)) return isMessage(value) ? one(value, idText(bytes)) : null;
  if (!Array.isArray(value) || value.length === 0) return null;
  const messages = value.filter(isObject).map((message) => one(message, JSON.stringify(message.id)));
  return {
    requests: messages.flatMap(({ requests }) => requests),
    responses: messages.flatMap(({ responses }) => responses),
    message: {},
  };
}

const isMessage = (value: JsonObject): boolean => 'method' in value || 'result' in value || 'error' in value;

function one(message: JsonObject, id: string | undefined): Carried {
  const isRequest = 'method' in message;
  const ids = message.id === undefined || message.id === null || id === undefined ? [] : [id];
  return { requests: isRequest ? ids : [], responses: isRequest ? [] : ids, message };
}

function idText(bytes: Buffer): string | undefined {
  const span = memberValue(bytes, 0, 'id');
  if (!span) return undefined;
  const text = bytes.toString('utf8', span.start, span.end);
  return text.startsWith('"') ? JSON.stringify(JSON.parse(text)) : text;
}

/** The headers by which the HTTP transport repeats the body; `negotiated` is the version that `initialize` agreed on. */
export function headersOf({ message }: Carried, negotiated: string | null): Record<string, string> {
  const params = isObject(message.params) ? message.params : {};
  const meta = isObject(params._meta) ? params._meta : {};
  const claimed = meta[VERSION_MEMBER];
  if (typeof claimed !== 'string' || typeof message.method !== 'string')
    return negotiated === null ? {} : { 'mcp-protocol-version': headerText(negotiated) };
  const named = params[NAMED_BY.get(message.method) ?? ''];
  return {
    'mcp-protocol-version': headerText(claimed),
    'mcp-method': headerText(message.method),
    ...(typeof named === 'string' && { 'mcp-name': headerText(named) }),
  };
}

const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const headerText = (text: string): string =>
  PLAIN.test(text) && !/^=\?base64\?/i.test(text)
    ? text
    : `=?base64?${Buffer.from(text).toString('base64')}?=`;

/** A JSON-RPC error; `id` as written in the request, `null` where it could not be read. */
export const errorLine = (id: string, code: number, message: string): Buffer =>
  Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code, message })}}`);

function parsed(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
}
