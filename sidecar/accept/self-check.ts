// A host that is Outrider itself, answered inside an interception and nowhere else: whoever is told "204" there has come
// by the proxy, trusts the local authority, and caused no byte to leave. Not a call: nothing is judged or recorded.
// `.invalid` never resolves (RFC 6761 § 6.4), so a request that does not come by us goes nowhere.

import type { IncomingMessage, ServerResponse } from 'node:http';

export const SELF_CHECK_HOST = 'self-check.outrider.invalid';

export function answerSelfCheck(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.writeHead(204, { connection: 'close' }).end();
}
