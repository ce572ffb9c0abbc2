// What parseStrict must refuse, and what it must leave alone. The lists follow RFC 8259's grammar section by section.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrict, StrictJsonError } from '../../kit/strict-json.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

function reasonOf(input: Buffer, limits = {}): string {
  try {
    parseStrict(input, limits);
  } catch (error) {
    if (error instanceof StrictJsonError) return error.reason;
    throw error;
  }
  return 'accepted';
}

const accepted = [
  'null',
  ' {} ',
  '[]',
  '"a"',
  '-0',
  '0.5e-3',
  '1E4',
  '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
  '{"":0}',
  '{"text":"a \\"model\\": \\\\"}',
  '{"text":"{{{[[["}',
  '{"a":"\\ud83d\\ude00","ü":"日本語"}',
  '{"a":":::","b":":"}',
  `{"n":0.${'0'.repeat(300)}1}`,
  `${'['.repeat(64)}${']'.repeat(64)}`,
  '\t\r\n {"a" :\n1}',
];

const refused: [string, string][] = [
  ['{"model":"cheap","model":"costly"}', 'dup_key'],
  ['{"a":[{"b":1,"c":{"d":1,"d":2}}]}', 'dup_key'],
  ['{"model":1,"mod\\u0065l":2}', 'dup_key'],
  ['{"a":1,"a":1}', 'dup_key'],
  ['{"__proto__":1,"__proto__":2}', 'dup_key'],
  ['{"é":1,"\\u00e9":2}', 'dup_key'],
  ['', 'malformed_json'],
  [' ', 'malformed_json'],
  ['{}{}', 'malformed_json'],
  ['{} x', 'malformed_json'],
  ['{"a":1,}', 'malformed_json'],
  ['[1,]', 'malformed_json'],
  ['{a:1}', 'malformed_json'],
  ["{'a':1}", 'malformed_json'],
  ['// hi\n{}', 'malformed_json'],
  ['/* */{}', 'malformed_json'],
  ['NaN', 'malformed_json'],
  ['Infinity', 'malformed_json'],
  ['+1', 'malformed_json'],
  ['01', 'malformed_json'],
  ['1.', 'malformed_json'],
  ['.5', 'malformed_json'],
  ['0x10', 'malformed_json'],
  ['"a\nb"', 'malformed_json'],
  ['"\\x41"', 'malformed_json'],
  ['"open', 'malformed_json'],
  ['"open\\"', 'malformed_json'],
  ['{"a"', 'malformed_json'],
  ['{"a"::1}', 'malformed_json'],
  ['\u00a0{}', 'malformed_json'],
  ['\ufeff{}', 'malformed_json'],
  ['{"a":1e400}', 'number_range'],
  ['[-1e999]', 'number_range'],
  [`[1${'0'.repeat(1_000_000)}]`, 'number_range'],
  [`[0.${'1'.repeat(2_000)}]`, 'number_range'],
  [`${'['.repeat(65)}${']'.repeat(65)}`, 'too_deep'],
  [`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'too_deep'],
  ['['.repeat(1_000_000), 'too_deep'],
];

describe('parseStrict', () => {
  it.each(accepted)('reads %j as JSON.parse does', (text) => {
    expect(parseStrict(bytes(text))).toEqual(JSON.parse(text));
  });

  it.each(refused.map(([text, reason]) => [text.slice(0, 40), text, reason]))(
    'refuses %s',
    (_, text, reason) => {
      expect(reasonOf(bytes(text))).toBe(reason);
    },
  );

  it('refuses bytes that are not UTF-8', () => {
    expect(reasonOf(Buffer.from([0x22, 0xff, 0x22]))).toBe('not_utf8');
    expect(reasonOf(Buffer.from([0x22, 0xc0, 0xaf, 0x22]))).toBe('not_utf8');
    expect(reasonOf(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toBe('not_utf8');
    expect(reasonOf(Buffer.from('{"a":1}', 'utf16le'))).not.toBe('accepted');
  });

  it('counts keys up to the limit and no further', () => {
    const object = (keys: number) =>
      bytes(`{${Array.from({ length: keys }, (_, i) => `"k${i}":0`).join(',')}}`);
    expect(reasonOf(object(100_000))).toBe('accepted');
    expect(reasonOf(object(100_001))).toBe('too_many_keys');
    expect(reasonOf(object(3), { keysMax: 2 })).toBe('too_many_keys');
  });

  it.each([
    ['objects', '{}', 199_999],
    ['lists', '[]', 199_999],
    ['numbers', '0', 1_000_001],
    ['strings', '"a"', 1_000_001],
  ])('DOS-15: counts %s up to the limit and no further', (_, value, most) => {
    const list = (length: number) => bytes(`[${new Array(length).fill(value).join(',')}]`);
    expect(reasonOf(list(most))).toBe('accepted');
    expect(reasonOf(list(most + 1))).toBe('too_many_values');
  });

  it('leaves prototypes alone', () => {
    const value = parseStrict(
      bytes('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}'),
    );
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('never quotes the body in its message', () => {
    try {
      parseStrict(bytes('{"secret-canary": sk-live-canary }'));
    } catch (error) {
      expect((error as Error).message).toMatch(/^The body is not JSON/);
      expect((error as Error).message).not.toContain('canary');
      return;
    }
    expect.unreachable();
  });

  it('agrees with JSON.parse on whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        expect(parseStrict(bytes(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('accepts nothing that JSON.parse refuses', () => {
    const noise = fc.array(
      fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', '-', 'e', 'a', ' ', 'null', '"a"'),
    );
    fc.assert(
      fc.property(noise, (parts) => {
        const text = parts.join('');
        if (reasonOf(bytes(text)) === 'accepted') expect(() => JSON.parse(text)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});
