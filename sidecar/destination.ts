// Which upstream a destination is. At the reverse door the path says so; by url it is the upstream with the longest url
// that begins it, and where none does, an upstream nobody declared: plain HTTP, no credential, public addresses only.

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
  return to.kind === 'upstream' ? `${method} /${to.name}${path}` : `${method} ${to.origin}${path}`;
}

/** The upstream declared at a host and port, whatever its path; undefined where none is. */
export function declaredAt(config: Config, host: string, port: number): Upstream | undefined {
  return [...config.upstreams.values()].find(({ url }) => {
    const at = new URL(url);
    return at.hostname === host && (at.port || SCHEME_PORTS[at.protocol]) === String(port);
  });
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
    const begins = url === upstream.url || url.startsWith(`${upstream.url}/`);
    if (begins && (!best || upstream.url.length > best.url.length)) best = upstream;
  }
  return best ?? providerAt(config, origin);
}

const providerAt = (config: Config, origin: string): Upstream | undefined =>
  [...config.upstreams.values()].find(
    ({ speaks, url }) => speaks !== 'http' && new URL(url).origin === origin,
  );

function undeclared(config: Config, origin: string): Upstream {
  return {
    name: new URL(origin).host,
    url: origin,
    speaks: 'http',
    credential: null,
    pricedAs: null,
    timeouts: config.timeouts,
    declared: false,
  };
}
