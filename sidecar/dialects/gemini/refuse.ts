// A refusal as Google's clients understand it: google.rpc.Status as JSON, `{"error":{code,message,status,details}}`, with
// an ErrorInfo that says the code and the facts (cloud.google.com/apis/design/errors). What was asked for as a growing
// array is refused inside one, and a Claude on Vertex in its own API's shape.

import type { Refusal } from '../../../contract/refusals.ts';
import { refuse as refuseMessages } from '../anthropic/refuse.ts';
import type { Asked } from '../dialect.ts';
import { isArrayStream, isMessages, recognise } from './recognise.ts';

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  504: 'DEADLINE_EXCEEDED',
};

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export function refuse(refusal: Refusal, asked: Asked): Answer {
  const { head } = asked;
  const endpoint = head && recognise(head);
  if (endpoint && isMessages(endpoint)) return refuseMessages(refusal, asked);
  const { status, advice } = refusal.kind;
  const error = {
    code: status,
    message: `${refusal.message} ${advice}`,
    status: STATUSES[status] ?? 'UNAVAILABLE',
    details: detailsOf(refusal, asked.callId),
  };
  const body = head && isArrayStream(head) ? [{ error }] : { error };
  return { status, contentType: 'application/json', body: JSON.stringify(body) };
}

/** ErrorInfo's metadata holds texts alone; no fact goes by the name of what stands beside it. */
function detailsOf(refusal: Refusal, callId: string): object[] {
  const { facts = {}, reason, retryAfterSeconds } = refusal.detail;
  const others = Object.entries(facts).filter(([name]) => name !== 'message');
  const told = others.map(([name, value]) => [name, String(value)]);
  const metadata = {
    ...Object.fromEntries(told),
    code: refusal.code,
    ...(reason !== undefined && { reason }),
    call_id: callId,
  };
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: refusal.code.toUpperCase(),
    domain: 'outrider',
    metadata,
  };
  if (retryAfterSeconds === undefined) return [info];
  const retry = {
    '@type': 'type.googleapis.com/google.rpc.RetryInfo',
    retryDelay: `${retryAfterSeconds}s`,
  };
  return [info, retry];
}
