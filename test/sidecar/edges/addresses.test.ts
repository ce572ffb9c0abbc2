// What an address is, whatever way it is written.

import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import { readAuthority } from '../../../sidecar/accept/authority.ts';
import { bytesOf, classOf } from '../../../sidecar/edges/addresses.ts';

interface AddressCase {
  readonly id: string;
  readonly address?: string;
  /** Its host, as a url parser makes it canonical, is the address. */
  readonly url?: string;
  /** Null for what is no address at all. */
  readonly is: string | null;
}

const cases = readFileSync(new URL('../../cases/addresses.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as AddressCase);

const classOfText = (text: string): string | null => {
  const bytes = bytesOf(text);
  return bytes && classOf(bytes);
};
const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '');

describe('an address', () => {
  it.each(cases)('$id $address$url is $is', ({ address, url, is }) => {
    expect(classOfText(address ?? hostOf(url!))).toBe(is);
  });

  const v4 = fc.tuple(...new Array(4).fill(fc.nat(255))).map((four) => four as number[]);
  const v6 = fc
    .tuple(
      ...new Array(8).fill(
        fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0xffff, 0x64, 0xff9b, 0x2001, 0x2002, 0x7f00, 0xa9fe)),
      ),
    )
    .map((groups) => groups as number[]);
  const hex = (groups: readonly number[]): string => groups.map((group) => group.toString(16)).join(':');

  it('SSRF-39: is the same by its bytes, by every way IPv6 may be written, and by a url', () => {
    fc.assert(
      fc.property(v6, (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
        const is = classOf(bytes);
        const full = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
        const dotted = `${hex(groups.slice(0, 6))}:${[...bytes.subarray(12)].join('.')}`;
        const shortest = hostOf(`http://[${full}]/`);
        for (const text of [hex(groups), full, full.toUpperCase(), dotted, shortest]) {
          const read = bytesOf(text);
          if (!read || Buffer.compare(read, bytes) !== 0 || classOf(read) !== is) expect.fail(text);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('is the same as IPv4 and as its mapped form', () => {
    fc.assert(
      fc.property(v4, (four) => {
        const is = classOfText(four.join('.'));
        expect(classOfText(`::ffff:${four.join('.')}`)).toBe(is);
        expect(is).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it('SSRF-40: is the same in every numeric spelling that a url parser takes, and at a proxy only one is read', () => {
    const closed = cases.filter(({ address, is }) => address?.includes('.') && is !== 'public');
    const addresses = [...new Set(closed.map(({ address }) => address!).filter((text) => isIPv4(text)))];
    const ways = [
      (part: number) => String(part),
      (part: number) => `0${part.toString(8)}`,
      (part: number) => `0x${part.toString(16)}`,
    ];
    for (const address of addresses) {
      const is = classOfText(address);
      const four = address.split('.').map(Number);
      for (let parts = 1; parts <= 4; parts++) {
        const last = four.slice(parts - 1).reduce((sum, part) => sum * 256 + part, 0);
        const numbers = [...four.slice(0, parts - 1), last];
        for (let pick = 0; pick < 3 ** parts; pick++) {
          const text = numbers.map((part, i) => ways[Math.floor(pick / 3 ** i) % 3]!(part)).join('.');
          if (classOfText(hostOf(`http://${text}/`)) !== is) expect.fail(text);
          const read = hostReadAt(`${text}:443`);
          if (read !== (text === address ? address : null)) expect.fail(`${text} is read as ${read}`);
        }
      }
    }
    expect(addresses.length).toBeGreaterThanOrEqual(40);
  });
});

/** As a CONNECT, a whole url and a Host header are read; null where it is refused. */
function hostReadAt(authority: string): string | null {
  try {
    return readAuthority(authority).host;
  } catch (failure) {
    if (failure instanceof Refusal) return null;
    throw failure;
  }
}
