// Hosts and ports: whatever is accepted means the same to a URL parser, and is its own canonical form.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import { isSame, originOf, readAuthority } from '../../../sidecar/accept/authority.ts';
import { readForward } from '../../../sidecar/accept/forward.ts';

function read(text: string): ReturnType<typeof readAuthority> | null {
  try {
    return readAuthority(text, 443);
  } catch (failure) {
    expect(failure).toBeInstanceOf(Refusal);
    return null;
  }
}

const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,8}$/);
const number = fc.oneof(
  fc.integer({ min: 0, max: 300 }).map(String),
  fc.integer({ min: 0, max: 255 }).map((n) => `0x${n.toString(16)}`),
  fc.integer({ min: 0, max: 255 }).map((n) => `0${n.toString(8)}`),
  fc.nat(2 ** 32 - 1).map(String),
);
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
  fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.')),
  fc.ipV6().map((address) => `[${address}]`),
  fc.string({ unit: 'binary', maxLength: 12 }),
  label.map((text) => `xn--${text}.example`),
);
const suffix = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    ':',
    ':443',
    ':0443',
    ':80',
    ':65536',
    '@evil.com',
    '/x',
    '\\',
    '#',
    '?',
    '%00',
    '\0',
  ),
  fc.integer({ min: -1, max: 70_000 }).map((port) => `:${port}`),
);

describe('an authority', () => {
  it('AUTH-26: that is accepted is what a URL parser reads, and reads as itself again', () => {
    let accepted = 0;
    fc.assert(
      fc.property(host, suffix, (name, rest) => {
        const found = read(name + rest);
        if (found === null) return;
        accepted += 1;
        const url = new URL(`https://${name}${rest}/`);
        expect(found.host).toBe(url.hostname.replace(/\.$/, ''));
        expect(found.port).toBe(Number(url.port || 443));
        expect(new URL(originOf('https', found)).origin).toBe(originOf('https', found));
        expect(read(`${found.host}:${found.port}`)).toEqual(found);
        expect(isSame(name + rest, found, 'https')).toBe(true);
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });

  it('of a whole url goes on with the path byte for byte', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9._~!$&'()*+,=:@%-]{0,12}$/);
    let accepted = 0;
    fc.assert(
      fc.property(label, fc.array(segment, { maxLength: 4 }), (name, segments) => {
        const path = `/${segments.join('/')}`;
        try {
          const target = readForward(`http://${name}.example${path}`, `${name}.example`);
          accepted += 1;
          expect(target.path).toBe(path);
          expect(new URL(`http://${name}.example${path}`).pathname).toBe(path);
          expect(readForward(`http://${name}.example${target.path}`, `${name}.example`)).toEqual(target);
        } catch (failure) {
          if (!(failure instanceof Refusal)) throw failure;
        }
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });
});
