// Whom a connection may be opened to. Asked for every new socket: the name is resolved once, every address it has is
// judged, and exactly what was judged is dialled, so that a name that changes its mind changes nothing.

import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { bytesOf, classOf } from './addresses.ts';
import { DialFailure } from './dial-failure.ts';
import type { Resolver } from './resolver.ts';

export interface Place {
  /** As a canonical url has it, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Nobody declared it: only public unicast addresses. */
  readonly publicOnly: boolean;
}

export interface Reach {
  readonly resolver: Resolver;
  /** The ports this process listens on: never dialled, or a call would go round for ever. */
  ownPorts(): ReadonlySet<number>;
}

const ADDRESSES_MAX = 16;
const METADATA_NAMES = new Set(['metadata.google.internal', 'metadata.goog']);
const LOOPBACK_NAMES = new Set(['localhost', 'ip6-localhost', 'ip6-loopback']);
const NAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?$/;
/** What some resolvers would read as an address: `127.1`, `0x7f000001`, `1.2.3.0x4`. */
const NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/;

/** What may be dialled, at least one and at most 16. Rejects with DialFailure. */
export async function addressesOf(place: Place, use: Reach): Promise<readonly LookupAddress[]> {
  const { host } = place;
  if (isIP(host) !== 0) {
    refuseUnless(place, host, use);
    return [{ address: host, family: isIP(host) }];
  }
  const byName = whyNotNamed(place);
  if (byName) throw new DialFailure('forbidden', byName, { host });
  const found = await resolve(place, use.resolver);
  for (const { address } of found) refuseUnless(place, address, use);
  return found.slice(0, ADDRESSES_MAX);
}

function whyNotNamed({ host, publicOnly }: Place): string | null {
  const name = host.replace(/\.$/, '');
  if (!NAME.test(host) || NUMERIC.test(host)) return 'bad_host';
  if (METADATA_NAMES.has(name)) return 'addr_metadata';
  const loopback = LOOPBACK_NAMES.has(name) || name.endsWith('.localhost');
  return publicOnly && loopback ? 'addr_loopback' : null;
}

async function resolve({ host, publicOnly }: Place, resolver: Resolver): Promise<readonly LookupAddress[]> {
  try {
    return await (publicOnly ? resolver.published(host) : resolver.known(host));
  } catch (cause) {
    throw new DialFailure('unreachable', 'dns_error', { host, cause });
  }
}

/** One bad address among good ones forbids them all: who publishes it may steer which is taken. */
function refuseUnless({ host, port, publicOnly }: Place, address: string, { ownPorts }: Reach): void {
  const bytes = bytesOf(address);
  if (!bytes) throw new DialFailure('forbidden', 'bad_host', { host, address });
  const is = classOf(bytes);
  if (is === 'metadata' || (publicOnly && is !== 'public'))
    throw new DialFailure('forbidden', `addr_${is}`, { host, address });
  if (ownPorts().has(port) && (is === 'loopback' || is === 'unspecified' || isOurs(bytes)))
    throw new DialFailure('forbidden', 'self_connect', { host, address });
}

function isOurs(bytes: Uint8Array): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => {
      const own = bytesOf(address);
      return own !== null && Buffer.compare(own, bytes) === 0;
    }),
  );
}
