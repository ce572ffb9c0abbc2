// A growing array is read at every split, whatever stands in its strings; what is too long is skipped and counted.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ELEMENT_BYTES_MAX, readArray } from '../../../sidecar/dialects/gemini/json-array.ts';

function elementsOf(chunks: readonly Buffer[]) {
  const elements: string[] = [];
  const reader = readArray((element) => elements.push(element));
  for (const chunk of chunks) reader.push(chunk);
  return { elements, reader };
}

describe('readArray', () => {
  it('finds the elements of any array, however it is spaced and split', () => {
    const value = fc.object({ withNullPrototype: false });
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 4 }),
        fc.constantFrom(undefined, 2),
        fc.nat(),
        (list, indent, at) => {
          const bytes = Buffer.from(JSON.stringify(list, undefined, indent));
          const cut = at % (bytes.length + 1);
          const wanted = list.map((element) => JSON.stringify(element));
          for (const chunks of [
            [bytes],
            [bytes.subarray(0, cut), bytes.subarray(cut)],
            Array.from(bytes, (byte) => Buffer.of(byte)),
          ]) {
            const { elements, reader } = elementsOf(chunks);
            expect(elements.map((element) => JSON.stringify(JSON.parse(element)))).toEqual(wanted);
            expect(reader.unfinishedBytes()).toBe(0);
            expect(reader.unreadBytes()).toBe(0);
          }
        },
      ),
    );
  });

  it('skips an element that is too long, and reads the next', () => {
    const long = `{"text":"${'a'.repeat(ELEMENT_BYTES_MAX)}"}`;
    const { elements, reader } = elementsOf([Buffer.from(`[${long}`), Buffer.from(',{"b":1}]')]);
    expect(elements).toEqual(['{"b":1}']);
    expect(reader.unreadBytes()).toBe(long.length);
  });

  it.each([
    ['', '[', '\r\n]'],
    ['[', '', '\r\n]'],
    ['[{"a":1}', ',\r\n', '\r\n]'],
    ['[{"a":"]}"}\r\n', ',\r\n', '\r\n]'],
    ['[{"a":1},', '', '\r\n]'],
    ['[{"a":1}\r\n,\r\n', '', '\r\n]'],
    ['[{"a":1}]', '', ''],
  ])('knows what must stand around another element after %j', (text, before, after) => {
    expect(elementsOf([Buffer.from(text)]).reader.around()).toEqual({ before, after });
  });

  it('says how much of an element has passed', () => {
    expect(elementsOf([Buffer.from('[{"a":1},{"b"')]).reader.unfinishedBytes()).toBe(4);
  });
});
