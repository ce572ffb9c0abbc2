// The body of a POST as JSON-RPC 2.0 messages, or refused: what two readers could take for two things does not pass.
// Source: JSON-RPC 2.0 §§ 4-6; MCP basic/transports of each revision (batches exist in 2025-03-26 alone).

import { Refusal } from '../../../contract/refusals.ts';
import type { Json, JsonBody, JsonObject } from '../dialect.ts';
import { badField, isObject, optionalObject, refuseCaseVariants } from '../fields.ts';

export type Message =
  | {
      readonly kind: 'request';
      readonly id: string | number;
      readonly method: string;
      readonly params: JsonObject;
    }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  /** The client's answer to something the server asked: sampling, elicitation, roots. */
  | { readonly kind: 'response' };

const BATCH_MESSAGES_MAX = 100;
const METHOD_CHARACTERS_MAX = 128;
const METHOD = /^[\x21-\x7e]+$/;
const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const PARAMETERS = new Set(['name', 'arguments', 'uri', 'ref', '_meta']);

/** Throws Refusal `bad_request`. A batch is taken only where `mayBatch`. */
export function readMessages(body: JsonBody, mayBatch: boolean): readonly Message[] {
  if (!Array.isArray(body)) return [readMessage(body)];
  if (!mayBatch)
    throw bad('batch', 'This revision of the protocol has no batches: send one message at a time.');
  if (body.length === 0 || body.length > BATCH_MESSAGES_MAX)
    throw bad('batch', `A batch holds 1 to ${BATCH_MESSAGES_MAX} messages.`);
  const messages = body.map(readMessage);
  const ids = messages.flatMap((message) => (message.kind === 'request' ? [JSON.stringify(message.id)] : []));
  if (new Set(ids).size < ids.length) throw bad('batch', 'Two requests of the batch have the same id.');
  return messages;
}

function readMessage(message: Json): Message {
  if (!isObject(message)) throw bad('not_json_rpc', 'A message must be a JSON object.');
  refuseCaseVariants(message, MEMBERS);
  if (message.jsonrpc !== '2.0') throw badField('jsonrpc', '"2.0"');
  const { id, method } = message;
  if (id !== undefined && typeof id !== 'string' && !Number.isInteger(id))
    throw badField('id', 'a string or a whole number');
  if (method === undefined) return readResponse(message);
  if (typeof method !== 'string' || method.length > METHOD_CHARACTERS_MAX || !METHOD.test(method))
    throw badField('method', `1 to ${METHOD_CHARACTERS_MAX} visible ASCII characters`);
  if ('result' in message || 'error' in message)
    throw bad('not_json_rpc', 'A message cannot be both a request and a response.');
  const params = optionalObject(message, 'params') ?? {};
  refuseCaseVariants(params, PARAMETERS);
  if (id === undefined) return { kind: 'notification', method, params };
  return { kind: 'request', id: id as string | number, method, params };
}

function readResponse(message: JsonObject): Message {
  const outcomes = Number('result' in message) + Number('error' in message);
  if (message.id === undefined || outcomes !== 1)
    throw bad(
      'not_json_rpc',
      'A message without a method must be a response: an id and a result or an error.',
    );
  return { kind: 'response' };
}

export function bad(reason: string, sentence: string): Refusal {
  return new Refusal('bad_request', sentence, { reason });
}
