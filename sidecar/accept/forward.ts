// The forward door: an agent that was told of a proxy writes whole urls, `GET http://host/path`. An `https:` one is
// taken too, for some clients never open a tunnel; it is judged and dialled as what it says.

import { Refusal } from '../../contract/refusals.ts';
import { type Authority, isSame, originOf, portOf, readAuthority, type Scheme } from './authority.ts';
import { printable } from './printable.ts';
import { readPath, type Target } from './target.ts';

const ABSOLUTE = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is;

/** `host` is the Host header, which must say the same. Throws Refusal `bad_request` for all that is not canonical. */
export function readForward(url: string, host: string): Target {
  const parts = ABSOLUTE.exec(url);
  const scheme = parts?.[1]?.toLowerCase();
  if (!parts || (scheme !== 'http' && scheme !== 'https')) {
    throw bad('bad_scheme', 'A request target is a path, or a url that begins with http:// or https://.');
  }
  const authority = readAuthority(parts[2]!, portOf(scheme));
  if (!isSame(host, authority, scheme)) throw mismatch(host);
  return { to: toUrl(scheme, authority), ...readPath(pathOf(parts[3]!)) };
}

export const toUrl = (scheme: Scheme, authority: Authority): Target['to'] => ({
  kind: 'url',
  origin: originOf(scheme, authority),
});

/** A url may leave out its path, and only that (RFC 9112 § 3.2.1). */
const pathOf = (rest: string): string => (rest === '' || rest.startsWith('?') ? `/${rest}` : rest);

function mismatch(host: string): Refusal {
  return bad(
    'authority_mismatch',
    `The Host header says "${printable(host)}", the request target says otherwise.`,
  );
}

function bad(reason: string, sentence: string): Refusal {
  return new Refusal('bad_request', sentence, { reason });
}
