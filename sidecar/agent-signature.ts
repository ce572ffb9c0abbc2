// A request that the agent signed itself (AWS's Signature Version 4) and whose credential is passed on. Its signature
// covers the host, the body and the headers it lists, so it goes exactly as it was signed or is refused: a broken one
// would come back as a riddle from the provider.

import { Refusal } from '../contract/refusals.ts';
import type { Admitted, Outbound } from './call.ts';

const SCHEME = 'AWS4-';
const SIGNER = /Credential=([^/,\s]+)\//;
const SIGNED_HEADERS = /SignedHeaders=([^,\s]+)/;

export const isSignedByAgent = ({ request }: Pick<Admitted, 'request'>): boolean =>
  request.headers.authorization?.startsWith(SCHEME) === true;

/** Who signed: a signature is another one each time, its key's id is not. Any other credential as it is. */
export const signerIn = (authorization: string): string =>
  authorization.startsWith(SCHEME) ? (SIGNER.exec(authorization)?.[1] ?? authorization) : authorization;

/** Throws Refusal `bad_request` where what goes is not what was signed. */
export function keepSignature(call: Admitted, outbound: Pick<Outbound, 'headers' | 'body'>): void {
  if (!isSignedByAgent(call)) return;
  const why = whyBroken(call, outbound);
  if (why === null) return;
  throw new Refusal('bad_request', `The agent's own signature would not hold: ${why}.`, {
    reason: 'agent_signature',
  });
}

function whyBroken({ request, body }: Admitted, outbound: Pick<Outbound, 'headers' | 'body'>): string | null {
  const { authorization = '', host = '' } = request.headers;
  if (headerIn(outbound.headers, 'host') !== host)
    return `it was made for ${host}; reach the provider by HTTPS_PROXY, or give the upstream a credential`;
  if (outbound.body !== null && outbound.body !== body)
    return 'the request names no output limit, and one would have to be written into it; name maxTokens';
  const signed = SIGNED_HEADERS.exec(authorization)?.[1]?.split(';') ?? [];
  const changed = signed.find(
    (name) => headerIn(outbound.headers, name) !== headerIn(request.rawHeaders, name),
  );
  return changed === undefined ? null : `it covers the header ${changed}, which is not carried on as it came`;
}

/** All values of a header in a flat list of names and values, in order; undefined without one. */
function headerIn(headers: readonly string[], name: string): string | undefined {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.toLowerCase() === name) values.push(headers[i + 1]!);
  return values.length === 0 ? undefined : values.join(',');
}
