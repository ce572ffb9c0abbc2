// Splices find their place in any JSON text, however it is spaced, nested and escaped.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applySplices,
  changeMembers,
  insertMember,
  memberValue,
  replaceValue,
} from '../../../sidecar/dialects/members.ts';

const find = (text: string, key: string): string | undefined => {
  const bytes = Buffer.from(text);
  const span = memberValue(bytes, 0, key);
  return span && bytes.subarray(span.start, span.end).toString();
};

describe('memberValue', () => {
  it.each([
    ['{"a":1}', '1'],
    ['\n { "b" : {"a":2} , "a" : [ {"a":3}, "]" ] }', '[ {"a":3}, "]" ]'],
    ['{"x":"\\"a\\":0","a":"va\\\\"}', '"va\\\\"'],
    ['{"\\u0061":null}', 'null'],
    ['{"é":"a","a":true,"z":1}', 'true'],
    ['{"x":"}{","a":-1.5e3}', '-1.5e3'],
    ['{"x":[[["a"]]],"a":{}\t}', '{}'],
  ])('finds a in %s', (text, value) => {
    expect(find(text, 'a')).toBe(value);
  });

  it.each(['{}', '{"b":{"a":1}}', '{"b":"a"}', '{"A":1}', '{"aa":1}'])('finds no a in %s', (text) => {
    expect(find(text, 'a')).toBeUndefined();
  });

  it('agrees with the parser about every member of any object', () => {
    const spaced = fc.tuple(fc.object({ maxDepth: 3 }), fc.constantFrom(undefined, 1, '\t'));
    fc.assert(
      fc.property(spaced, ([object, indent]) => {
        const text = JSON.stringify(object, null, indent);
        const read = JSON.parse(text) as Record<string, unknown>;
        for (const key of Object.keys(read)) expect(JSON.parse(find(text, key)!)).toEqual(read[key]);
      }),
    );
  });
});

describe('splices', () => {
  it('insert, replace, and leave every other byte', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 2),
        (object, indent) => {
          const own = { ...object, old: null };
          const bytes = Buffer.from(JSON.stringify(own, null, indent));
          const splices = [
            insertMember(bytes, 0, 'new one', '{"x":1}'),
            replaceValue(memberValue(bytes, 0, 'old')!, '7'),
          ];
          const spliced = applySplices(bytes, splices);
          expect(JSON.parse(spliced.toString())).toEqual({
            ...JSON.parse(JSON.stringify(own)),
            old: 7,
            'new one': { x: 1 },
          });
          expect(spliced.length).toBe(
            bytes.length + '"new one":{"x":1},'.length + '7'.length - 'null'.length,
          );
        },
      ),
    );
  });

  it('insert into an empty object without a comma', () => {
    const bytes = Buffer.from(' { } ');
    expect(applySplices(bytes, [insertMember(bytes, 0, 'a', '1')]).toString()).toBe(' {"a":1 } ');
  });

  it('return the very same bytes when there is nothing to do', () => {
    const bytes = Buffer.from('{}');
    expect(applySplices(bytes, [])).toBe(bytes);
  });

  it('crash loudly when they overlap', () => {
    const bytes = Buffer.from('{"a":null}');
    const span = memberValue(bytes, 0, 'a')!;
    expect(() => applySplices(bytes, [replaceValue(span, '1'), replaceValue(span, '2')])).toThrow('overlap');
  });
});

describe('changeMembers', () => {
  it('leaves out, puts first, and keeps the rest byte for byte', () => {
    const text = '\n{ "\\u0061" : 1.0 , "b":{"a":2},\t"c":[12345678901234567890, "}"] , "d":null }';
    const change = (left: string[], put: Record<string, string>) =>
      changeMembers(Buffer.from(text), new Set(left), put).toString();
    expect(change(['a', 'd'], { e: '"x"' })).toBe('{"e":"x","b":{"a":2},"c":[12345678901234567890, "}"]}');
    expect(change([], { b: 'true' })).toBe(
      '{"b":true,"\\u0061" : 1.0,"c":[12345678901234567890, "}"],"d":null}',
    );
    expect(change(['a', 'b', 'c', 'd'], {})).toBe('{}');
  });

  it('changes any object as a parsed one would be', () => {
    const spaced = fc.tuple(fc.object({ maxDepth: 2 }), fc.constantFrom(undefined, 1, '\t'), fc.nat());
    fc.assert(
      fc.property(spaced, ([object, indent, pick]) => {
        const text = JSON.stringify(object, null, indent);
        const read = JSON.parse(text) as Record<string, unknown>;
        const left = new Set(Object.keys(read).filter((_, index) => ((pick >> index) & 1) === 1));
        const wanted = Object.fromEntries(Object.entries(read).filter(([key]) => !left.has(key)));
        expect(JSON.parse(changeMembers(Buffer.from(text), left, {}).toString())).toEqual(wanted);
      }),
    );
  });
});
