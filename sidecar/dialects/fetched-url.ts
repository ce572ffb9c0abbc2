// Urls in a body, which the provider (or a model server in our own network) will fetch: only public names over http or
// https. What a name resolves to is for whoever fetches it to check; an address in place of a name is refused in every
// spelling, since nobody serves pictures from one but those who probe.

import { Refusal } from '../../contract/refusals.ts';
import type { Json } from './dialect.ts';
import { badField } from './fields.ts';

/** Names that never leave a host or a network: RFC 6761, RFC 6762, RFC 8375, and what clouds call their metadata. */
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|arpa|test|invalid|onion)$/;
const ADDRESS = /^\[|^\d+\.\d+\.\d+\.\d+$/;

/** Throws Refusal `destination_forbidden`, or `bad_request` for what is no url. */
export function requirePublicUrl(value: Json | undefined, field: string): void {
  if (typeof value !== 'string' || !URL.canParse(value)) throw badField(field, 'a url');
  const { protocol, hostname, username, password } = new URL(value);
  const host = hostname.replace(/\.$/, '');
  const named = host.includes('.') && !ADDRESS.test(host) && !PRIVATE_NAME.test(host);
  const web = protocol === 'https:' || protocol === 'http:';
  if (web && named && username === '' && password === '') return;
  throw new Refusal('destination_forbidden', `\`${field}\` names no public host by http or https.`, {
    reason: 'private_url',
    facts: { field, host: host.slice(0, 253) },
  });
}

/** As above; and written as a rule would compare it: lower-case host, no port that the scheme implies, no dot segments. */
export function requireCanonicalUrl(value: Json | undefined, field: string): void {
  requirePublicUrl(value, field);
  const canonical = new URL(value as string).href;
  if (value !== canonical && `${String(value)}/` !== canonical)
    throw badField(field, `written as ${canonical.slice(0, 256)}`);
}
