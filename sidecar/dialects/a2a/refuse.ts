// A refusal as A2A's clients understand it: a JSON-RPC error with the id of the request, or the error of the HTTP
// binding: a google.rpc.Status, in 0.3 the same members as a JSON-RPC error. All carry an ErrorInfo that says our code and
// what the refusal knows; the HTTP status is the refusal's own. Source: specification 1.0.0 §§ 9.5, 11.6; AIP-193.

import type { Refusal } from '../../../contract/refusals.ts';
import type { Asked, JsonBody, JsonObject } from '../dialect.ts';
import { recognise } from './recognise.ts';

/** In the range JSON-RPC leaves to servers, away from A2A's own codes. */
const REFUSED = -32050;
const CODES: Readonly<Record<string, number>> = {
  malformed_json: -32700,
  unknown_method: -32601,
  unknown_version: -32009,
};
const INVALID_REQUEST = -32600;

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

export function refuse(
  refusal: Refusal,
  asked: Asked,
): { status: number; contentType: string; body: string } {
  const { status, advice } = refusal.kind;
  const message = `${refusal.message} ${advice}`;
  const details = [errorInfo(refusal, asked.callId)];
  const plain = { code: rpcCode(refusal), message, data: details };
  const binding = bindingOf(asked);
  const body =
    binding === 'rpc'
      ? { jsonrpc: '2.0', id: idOf(asked.json), error: plain }
      : binding === 'http 0.3'
        ? plain
        : { error: { code: status, status: STATUSES[status] ?? 'UNKNOWN', message, details } };
  return { status, contentType: 'application/json', body: JSON.stringify(body) };
}

function errorInfo({ code, detail }: Refusal, callId: string): JsonObject {
  const { message: _, ...facts } = detail.facts ?? {};
  const metadata: JsonObject = {};
  for (const [name, value] of Object.entries(facts)) if (value !== null) metadata[name] = String(value);
  if (detail.reason !== undefined) metadata.reason = detail.reason;
  metadata.code = code;
  metadata.call_id = callId;
  return {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: code.toUpperCase(),
    domain: 'outrider',
    metadata,
  };
}

function rpcCode({ code, detail }: Refusal): number {
  return CODES[detail.reason ?? ''] ?? (code === 'bad_request' ? INVALID_REQUEST : REFUSED);
}

/** Before its path was read a request counts as JSON-RPC, which is what most are. */
function bindingOf({ head }: Asked): 'rpc' | 'http 0.3' | 'http 1.0' {
  if (!head) return 'rpc';
  const endpoint = recognise(head);
  if (endpoint === undefined ? head.method === 'POST' : endpoint.name === 'rpc') return 'rpc';
  return String(head.headers['a2a-version']).startsWith('0.3') ? 'http 0.3' : 'http 1.0';
}

/** Null where it cannot be said exactly. */
function idOf(json: JsonBody | undefined): string | number | null {
  const id = json === undefined || Array.isArray(json) ? undefined : json.id;
  if (typeof id === 'string') return id;
  return Number.isSafeInteger(id) ? (id as number) : null;
}
