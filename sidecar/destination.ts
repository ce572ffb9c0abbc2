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
  return declaring(config, to.origin, path) ?? undeclared(config, to.origin);
}

/** As records and refusals name a destination before it was judged. */
export function destinationText({ method, to, path }: Pick<Accepted, 'method' | 'to' | 'path'>): string {
  return to.kind === 'upstream' ? `${method} /${to.name}${path}` : `${method} ${to.origin}${path}`;
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
