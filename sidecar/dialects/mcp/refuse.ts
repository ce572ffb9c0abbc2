// A refusal as MCP's clients understand it. A refused tool call is a result that says `isError`, for that is what a
// model gets to read; anything else is a JSON-RPC error under the refusal's own HTTP status. The facts stand in `_meta`
// and not in `structuredContent`: clients hold that to the tool's own output schema, and would hide the reason.

import type { Refusal } from '../../../contract/refusals.ts';
import type { Asked } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { memberValue } from '../members.ts';
import { STATELESS_VERSION, VERSION_HEADER, VERSIONS } from './versions.ts';

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Where the protocol has a code of its own; any other refusal is a server error. */
const CODES: Readonly<Record<string, number>> = {
  malformed_json: -32700,
  unsupported_version: -32022,
  header_mismatch: -32020,
  header_missing: -32020,
  version_missing: -32602,
  bad_field: -32602,
};
const INVALID_REQUEST = -32600;
const SERVER_ERROR = -32000;

export function refuse(refusal: Refusal, asked: Asked): Answer {
  const said = `${refusal.message} ${refusal.kind.advice}`;
  const facts = factsOf(refusal, asked, said);
  return isToolCall(asked) && refusal.code !== 'bad_request'
    ? result(asked, `${refusal.code}${reasonOf(refusal)}: ${said}`, facts)
    : error(refusal, asked, said, facts);
}

function result(asked: Asked, text: string, facts: object): Answer {
  const stateless = asked.head?.headers[VERSION_HEADER] === STATELESS_VERSION;
  const value = {
    content: [{ type: 'text', text }],
    isError: true,
    ...(stateless && { resultType: 'complete' }),
    _meta: { 'outrider/refusal': facts },
  };
  return answer(200, `{"jsonrpc":"2.0","id":${idOf(asked)},"result":${JSON.stringify(value)}}`);
}

function error(refusal: Refusal, asked: Asked, message: string, data: object): Answer {
  const { reason = '' } = refusal.detail;
  const code = CODES[reason] ?? (refusal.code === 'bad_request' ? INVALID_REQUEST : SERVER_ERROR);
  const value = { code, message, data };
  return answer(
    refusal.detail.status ?? refusal.kind.status,
    `{"jsonrpc":"2.0","id":${idOf(asked)},"error":${JSON.stringify(value)}}`,
  );
}

const answer = (status: number, body: string): Answer => ({ status, contentType: 'application/json', body });

function factsOf({ code, detail }: Refusal, { callId }: Asked, message: string): object {
  return {
    ...(detail.reason === 'unsupported_version' && { supported: VERSIONS }),
    ...detail.facts,
    code,
    message,
    ...(detail.reason !== undefined && { reason: detail.reason }),
    call_id: callId,
  };
}

const reasonOf = ({ detail }: Refusal): string => (detail.reason === undefined ? '' : ` (${detail.reason})`);

function isToolCall({ json }: Asked): boolean {
  return isObject(json) && json.method === 'tools/call' && isId(json.id);
}

const isId = (id: unknown): boolean => typeof id === 'string' || Number.isInteger(id);

/** As the client wrote it, digit for digit: an id may be a number that no double holds. */
function idOf({ json, body }: Asked): string {
  if (!isObject(json) || !isId(json.id) || json.method === undefined || !body) return 'null';
  const span = memberValue(body, 0, 'id');
  return span ? body.toString('utf8', span.start, span.end) : 'null';
}
