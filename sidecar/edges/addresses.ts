// What an IP address is, decided on its 16 bytes and never on its text, so that no spelling changes the answer. IPv4 is
// its IPv4-mapped form, for that is what dialling the mapped form reaches.
// Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 4291 (forms), 6052 and 8215 (NAT64), 3056 (6to4),
// 4380 (Teredo), 9637 (documentation); the metadata addresses from each cloud's own manual.

import { isIPv4, isIPv6 } from 'node:net';

/** Everything but `public` is closed to whoever is not declared; `metadata` is closed to all. */
export const ADDRESS_CLASSES = [
  'public',
  'metadata',
  'unspecified',
  'loopback',
  'private',
  'link_local',
  'cgnat',
  'documentation',
  'multicast',
  'nat64',
  'six_to_four',
  'teredo',
  'v4_compatible',
  'reserved',
] as const;
export type AddressClass = (typeof ADDRESS_CLASSES)[number];

/** Read in this order: the first that holds the address says what it is. What no line holds in IPv6 is reserved. */
const RANGES: readonly Range[] = [
  range('metadata', '169.254.169.254/32', '169.254.170.2/32', '169.254.170.23/32'),
  range('metadata', '100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'),
  range('metadata', 'fd00:ec2::254/128', 'fd00:ec2::23/128', 'fd20:ce::254/128'),
  range('unspecified', '0.0.0.0/8', '::/128'),
  range('loopback', '127.0.0.0/8', '::1/128'),
  range('private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'),
  range('link_local', '169.254.0.0/16', 'fe80::/10'),
  range('cgnat', '100.64.0.0/10'),
  range('documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'),
  range('documentation', '2001:db8::/32', '3fff::/20'),
  range('multicast', '224.0.0.0/4', 'ff00::/8'),
  range('six_to_four', '192.88.99.0/24', '2002::/16'),
  range('reserved', '192.0.0.0/24', '198.18.0.0/15', '240.0.0.0/4'),
  range('public', '0.0.0.0/0'),
  range('nat64', '64:ff9b::/96', '64:ff9b:1::/48'),
  range('teredo', '2001::/32'),
  range('reserved', '2001::/23'),
  range('v4_compatible', '::/96'),
  range('public', '2000::/3'),
].flat();

/** Where IPv6 carries an IPv4 address that something on the way may unpack: a metadata address hides in none of them. */
const EMBEDDED: Readonly<Partial<Record<AddressClass, readonly (readonly number[])[]>>> = {
  nat64: [
    [12, 13, 14, 15],
    [6, 7, 9, 10],
  ],
  six_to_four: [[2, 3, 4, 5]],
  v4_compatible: [[12, 13, 14, 15]],
};

/** `bytes` are 16. */
export function classOf(bytes: Uint8Array): AddressClass {
  const found = inRanges(bytes);
  for (const places of EMBEDDED[found] ?? []) {
    const inner = mapped(places.map((place) => bytes[place]!));
    if (inRanges(inner) === 'metadata') return 'metadata';
  }
  return found;
}

function inRanges(bytes: Uint8Array): AddressClass {
  for (const { prefix, bits, is } of RANGES) if (begins(bytes, prefix, bits)) return is;
  return 'reserved';
}

/** The 16 bytes of what a resolver or a canonical url holds; null for any other text, also one with a zone. */
export function bytesOf(text: string): Uint8Array | null {
  if (isIPv4(text)) return mapped(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return null;
  const [head, tail] = text.split('::').map(bytesOfGroups) as [number[], number[]?];
  const zeros = new Array<number>(16 - head.length - (tail?.length ?? 0)).fill(0);
  return Uint8Array.from([...head, ...zeros, ...(tail ?? [])]);
}

/** `2001:db8`, `ffff:127.0.0.1` or nothing at all. */
function bytesOfGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function mapped(four: readonly number[]): Uint8Array {
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...four]);
}

interface Range {
  readonly is: AddressClass;
  readonly prefix: Uint8Array;
  readonly bits: number;
}

function range(is: AddressClass, ...blocks: readonly string[]): Range[] {
  return blocks.map((block) => {
    const [address = '', length] = block.split('/');
    return { is, prefix: bytesOf(address)!, bits: Number(length) + (isIPv4(address) ? 96 : 0) };
  });
}

function begins(bytes: Uint8Array, prefix: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== prefix[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (bytes[whole]! ^ prefix[whole]!) >> (8 - rest) === 0;
}
