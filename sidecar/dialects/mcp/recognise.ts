// The one endpoint of a tool server and the three methods it knows: POST brings messages, GET opens a stream of what
// the server has to say, DELETE ends a session. Every other path of the server is none of ours, and refused.

import type { Endpoint, RequestHead } from '../dialect.ts';

/** What a POST is until its body was read. */
export const MESSAGE: Endpoint = { operation: null, billed: 'free', name: 'message', body: 'json' };
export const TOOL_CALL: Endpoint = {
  operation: 'execute_tool',
  billed: 'call',
  name: 'tools/call',
  body: 'json',
};
export const LISTEN: Endpoint = { operation: null, billed: 'free', name: 'listen', body: null };
export const END_SESSION: Endpoint = { operation: null, billed: 'free', name: 'end_session', body: null };

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
  ['POST', MESSAGE],
  ['GET', LISTEN],
  ['DELETE', END_SESSION],
]);

/** A message belongs in the body; a server that also takes it from the query would be told what nobody judged. */
const OF_A_MESSAGE = new Set(['jsonrpc', 'method', 'params']);
const holdsMessage = (query: string): boolean =>
  query !== '' && [...new URLSearchParams(query).keys()].some((name) => OF_A_MESSAGE.has(name.toLowerCase()));

export function recognise({ method, path, query }: RequestHead, base = ''): Endpoint | undefined {
  if (path !== (base === '' ? '/' : base) && path !== `${base}/`) return undefined;
  return holdsMessage(query) ? undefined : ENDPOINTS.get(method);
}
