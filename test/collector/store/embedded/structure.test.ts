// Which structures `values` may be given as text.

import { describe, expect, test } from 'vitest';
import { isPlainStructure } from '../../../../collector/store/embedded/structure.ts';

const TYPES = new Set(['string', 'uint8', 'array', 'tuple', 'decimal', 'enum8', 'datetime64', 'map']);
const isPlain = (text: string) => isPlainStructure(text, (name) => TYPES.has(name.toLowerCase()));

describe('a structure', () => {
  test.each([
    'a String',
    'a String, b UInt8',
    "a Array(Tuple(b String, UInt8)), c Map(String, Array(UInt8)), d Decimal(10, 2), e Enum8('x' = -1, 'y'), f DateTime64(3, 'UTC')",
    'alias String',
  ])('passes: %s', (text) => expect(isPlain(text)).toBe(true));

  test.each([
    '',
    'a',
    "a String ALIAS file('/x')",
    "a String DEFAULT file('/x')",
    "a DEFAULT (file('/x'))",
    "a String MATERIALIZED file('/x')",
    'a String EPHEMERAL now()',
    'a String TTL now()',
    'a String CODEC(ZSTD)',
    'a ALIAS b IN system.processes',
    'a String, CONSTRAINT c CHECK sleep(1)',
    'a String, INDEX i (sleep(1)) TYPE minmax',
    'a Array(file(1))',
    'a String /* */ ALIAS 1',
    '`a` String',
    "a Enum8('\\'' = 1)",
    'a UInt8,',
    'a UInt8)',
    `a ${'Array('.repeat(5_000)}`,
  ])('does not pass: %s', (text) => expect(isPlain(text)).toBe(false));
});
