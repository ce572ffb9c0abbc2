// Hosts and ports as an agent writes them for a proxy: one strict reader for request targets, Host headers, CONNECT and
// SNI. What is not written the one canonical way is refused, never repaired, and what is accepted means the same to a
// URL parser: the name that is judged is the name that is looked up, dialled and verified.
// Sources: RFC 3986 § 3.2, RFC 9110 § 9.3.6, RFC 5890 § 2.3.2.

import { domainToASCII, domainToUnicode } from 'node:url';
import { Refusal } from '../../contract/refusals.ts';
import { printable } from './printable.ts';

export interface Authority {
  /** Lower case, A-labels, no closing dot; IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
}

export type Scheme = 'http' | 'https';

const SCHEME_PORTS: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };
const HOST_CHARACTERS_MAX = 253;
const PARTS = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9]\d{0,4}))?$/i;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * `host`, `host:port`, `1.2.3.4:port` or `[v6]:port`. Without `portLeftOut` the port must stand there.
 * Throws Refusal `bad_request`, reason `bad_host`.
 */
export function readAuthority(text: string, portLeftOut?: number): Authority {
  const parts = PARTS.exec(text);
  const port = parts?.[2] === undefined ? portLeftOut : Number(parts[2]);
  if (!parts || port === undefined || port > 65_535) throw badHost(text);
  const written = parts[1]!.toLowerCase();
  const host = written.endsWith('.') ? written.slice(0, -1) : written;
  if (!isCanonical(host)) throw badHost(text);
  return { host, port };
}

/** Whether a name or address is written the way every layer reads it. */
function isCanonical(host: string): boolean {
  if (!host.startsWith('[')) {
    const labels = host.split('.');
    if (host.length > HOST_CHARACTERS_MAX || !labels.every((label) => LABEL.test(label))) return false;
    if (labels.some(isALabel) && !isUnicodeName(host)) return false;
  }
  return URL.canParse(`http://${host}/`) && new URL(`http://${host}/`).hostname === host;
}

const isALabel = (label: string): boolean => label.startsWith('xn--');

/** Whether every A-label says a name that is written back the same (RFC 5891 § 5.4). */
function isUnicodeName(host: string): boolean {
  const name = domainToUnicode(host);
  return !name.split('.').some(isALabel) && domainToASCII(name) === host;
}

/** `https://host`, with the port unless it is the scheme's own. */
export function originOf(scheme: Scheme, { host, port }: Authority): string {
  return port === SCHEME_PORTS[scheme] ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

/** A Host header (or a tunnel's name) that says the very same; a port left out is the scheme's. */
export function isSame(text: string, authority: Authority, scheme: Scheme): boolean {
  try {
    const { host, port } = readAuthority(text, SCHEME_PORTS[scheme]);
    return host === authority.host && port === authority.port;
  } catch (failure) {
    if (failure instanceof Refusal) return false;
    throw failure;
  }
}

export const portOf = (scheme: Scheme): number => SCHEME_PORTS[scheme];

function badHost(text: string): Refusal {
  return new Refusal('bad_request', `"${printable(text)}" is not one canonical host and port.`, {
    reason: 'bad_host',
  });
}
