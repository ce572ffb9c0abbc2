// What a request asks of another agent: in the JSON-RPC binding its method says, in the HTTP binding its path. Sending a
// message is an act, judged by skill on the message; everything else looks at what acts brought about, is nameless, and
// costs nothing.

import { Refusal } from '../../../contract/refusals.ts';
import { parseStrict, StrictJsonError } from '../../../kit/strict-json.ts';
import type { Act, Description, Endpoint, Json, JsonBody, JsonObject, RequestHead } from '../dialect.ts';
import { badField, identifier, isObject } from '../fields.ts';
import { nothingAsked } from '../nothing-asked.ts';
import { callbackUrls } from './callbacks.ts';
import { refuseOtherSpellings } from './keys.ts';
import { METHODS } from './methods.ts';
import { skillOf } from './skill.ts';
import { checkVersion, versionOf } from './version.ts';

const ENVELOPE = ['jsonrpc', 'id', 'method', 'params'];

export function describe(endpoint: Endpoint, head: RequestHead, body: JsonBody, bytes: Buffer): Description {
  if (endpoint.name === 'rpc') return describeRpc(head, body as JsonObject);
  versionOf(head);
  const params = endpoint.body === 'bytes' ? optionalBody(bytes) : (body as JsonObject);
  return described(endpoint, `${head.method} ${endpoint.name}`, params);
}

function describeRpc(head: RequestHead, body: JsonObject): Description {
  refuseOtherSpellings(body, ENVELOPE);
  if (body.jsonrpc !== '2.0') throw badField('jsonrpc', '"2.0"');
  const name = identifier(body.method, 'method');
  const method = METHODS.get(name);
  if (!method) {
    throw new Refusal('out_of_scope', `${name.slice(0, 80)} is not a method of A2A that is known here.`, {
      reason: 'unknown_method',
    });
  }
  checkVersion(head, name, method.version);
  return described(method.endpoint, name, objectOr(body.params, 'params'));
}

function described(endpoint: Endpoint, method: string, params: JsonObject): Description {
  const sends = endpoint.operation === 'invoke_agent';
  return {
    ...nothingAsked(endpoint),
    stream: endpoint.name === 'stream' || endpoint.name === 'subscribe',
    acts: [sends ? sent(method, params) : { method, name: '', args: params }],
    callsBack: callsBack(endpoint, params),
    rewritten: endpoint.name === 'card',
    ...(endpoint.name === 'subscribe' && { listens: true }),
  };
}

/**
 * The HTTP binding of 0.3 writes `request` for `message` and `content` for `parts`, or may: a condition sees them by the
 * names that the other bindings give them.
 */
function sent(method: string, params: JsonObject): Act {
  refuseOtherSpellings(params, ['message', 'request', 'configuration', 'metadata']);
  const message = oneOf(params, 'message', 'request');
  if (!isObject(message)) throw badField('message', 'an object');
  refuseOtherSpellings(message, ['metadata', 'parts', 'content']);
  const parts = oneOf(message, 'parts', 'content') ?? [];
  return { method, name: skillOf(params, message), args: { ...params, message: { ...message, parts } } };
}

function oneOf(object: JsonObject, name: string, otherwise: string): Json | undefined {
  if (object[name] !== undefined && object[otherwise] !== undefined) throw badField(otherwise, 'left out');
  return object[name] ?? object[otherwise];
}

function callsBack(endpoint: Endpoint, params: JsonObject): readonly string[] {
  if (endpoint.name === 'callback') return callbackUrls(params);
  return endpoint.operation === 'invoke_agent' ? callbackUrls(params.configuration) : [];
}

function objectOr(value: Json | undefined, field: string): JsonObject {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw badField(field, 'an object');
  return value;
}

function optionalBody(bytes: Buffer): JsonObject {
  if (bytes.length === 0) return {};
  try {
    return objectOr(parseStrict(bytes), 'body');
  } catch (failure) {
    if (!(failure instanceof StrictJsonError)) throw failure;
    throw new Refusal('bad_request', `The body cannot be judged. ${failure.message}`, {
      reason: failure.reason,
    });
  }
}
