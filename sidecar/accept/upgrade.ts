// The upgrade to a WebSocket, as RFC 6455 § 4.1 writes it and no other way. It is a method of its own to the rules; what
// the agent sends behind it waits until the upstream has agreed.

import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../contract/refusals.ts';

const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** Node asks before it lets go of a connection: every other upgrade is an offer that we leave unanswered or refuse. */
export const isWebSocket = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket';

/** Throws Refusal `bad_request`, reason `websocket`. */
export function checkUpgrade({ headers, method, httpVersion }: IncomingMessage): void {
  if (method !== 'GET' || httpVersion !== '1.1') throw bad('is asked for with GET and HTTP/1.1');
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
    throw bad('is asked for without a body');
  if (headers['sec-websocket-version'] !== '13') throw bad('has Sec-WebSocket-Version 13');
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) throw bad('has a Sec-WebSocket-Key of 16 bytes');
}

function bad(rest: string): Refusal {
  return new Refusal('bad_request', `The upgrade to a WebSocket ${rest}.`, { reason: 'websocket' });
}
