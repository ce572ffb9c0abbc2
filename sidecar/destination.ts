// Which upstream a destination is. At the reverse door the path says so; by url it is the upstream with the longest url
// that begins it, and where none does, an upstream nobody declared: plain HTTP, no credential, public addresses only.

import { basePathOf } from '../contract/config/addresses.ts';
import type { Config, Upstream } from '../contract/config/config.ts';
import type { Accepted } from './call.ts';

/** Undefined for a name that no upstream has. */
export function upstreamOf(
  config: Config,
  { to, path }: Pick<Accepted, 'to' | 'path'>,
): Upstream | undefined {
  if (to.kind === 'upstream') return config.upstreams.get(to.name);
  if (to.kind === 'tunnel') return tunnelled(config, to);
  return declaring(config, to.origin, path) ?? undeclared(config, to.origin);
}

/** As records and refusals name a destination before it was judged. */
export function destinationText({ method, to, path }: Pick<Accepted, 'method' | 'to' | 'path'>): string {
  if (to.kind === 'tunnel') return `${method} ${to.host}:${to.port}`;
  if (to.kind === 'url') return `${method} ${to.origin}${path}`;
  return `${method} ${to.name === '' ? '' : `/${to.name}`}${path}`;
}

/**
 * The upstream declared at a host and port, whatever its path; undefined where none is. Of several one whose dialect is
 * read: nothing goes to their common host unread.
 */
export function declaredAt(config: Config, host: string, port: number): Upstream | undefined {
  const there = [...config.upstreams.values()].filter(({ url }) => {
    const at = new URL(url);
    return at.hostname === host && (at.port || SCHEME_PORTS[at.protocol]) === String(port);
  });
  return there.find(isRead) ?? there[0];
}

const isRead = ({ speaks }: Upstream): boolean => speaks !== 'http';

/** Whether a path is within an upstream's own url: its credential is bound there. */
export const isWithin = ({ url }: Upstream, path: string): boolean => beginsWith(path, basePathOf(url));

const beginsWith = (text: string, start: string): boolean => text === start || text.startsWith(`${start}/`);

/**
 * The upstream whose dialect is read at a path that was asked of a plain one around it (`https://host` beside
 * `https://host/v1`): by whichever name it is reached, no http rule opens it. Undefined where there is none.
 */
export function readWithin(config: Config, { url, speaks }: Upstream, path: string): Upstream | undefined {
  if (speaks !== 'http') return undefined;
  const found = declaring(config, new URL(url).origin, path);
  return found && isRead(found) && found.url.length > url.length ? found : undefined;
}

/** Whether a url names the host of a provider, in whatever scheme and port: no pattern reaches that by chance. */
export function namesProvider(config: Config, url: string): boolean {
  const { hostname } = new URL(url);
  return [...config.upstreams.values()].some(
    (upstream) => isRead(upstream) && new URL(upstream.url).hostname === hostname,
  );
}

const SCHEME_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** A tunnel is to a host and port alone: what is said in it is nobody's dialect, and no credential is put there. */
function tunnelled(config: Config, { host, port }: { host: string; port: number }): Upstream {
  const place = undeclared(config, new URL(`https://${host}:${port}`).origin);
  const declared = declaredAt(config, host, port);
  return declared ? { ...place, name: declared.name, timeouts: declared.timeouts, declared: true } : place;
}

/**
 * The longest url that begins it. A path of a provider's host that no upstream's url begins is still that provider's:
 * what is none of its endpoints is refused there, and no http rule opens it.
 */
function declaring(config: Config, origin: string, path: string): Upstream | undefined {
  const url = origin + path;
  let best: Upstream | undefined;
  for (const upstream of config.upstreams.values()) {
    if (beginsWith(url, upstream.url) && (!best || upstream.url.length > best.url.length)) best = upstream;
  }
  return best ?? providerAt(config, origin);
}

const providerAt = (config: Config, origin: string): Upstream | undefined =>
  [...config.upstreams.values()].find(
    (upstream) => isRead(upstream) && new URL(upstream.url).origin === origin,
  );

function undeclared(config: Config, origin: string): Upstream {
  return {
    name: new URL(origin).host,
    url: origin,
    speaks: 'http',
    credential: null,
    pricedAs: null,
    timeouts: config.timeouts,
    rates: [],
    declared: false,
  };
}
