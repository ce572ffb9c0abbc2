// What is taken off a statement's end, and what is left to be judged.

import { expect, test } from 'vitest';
import { cutTail } from '../../../../collector/store/embedded/tail.ts';

const cut = (text: string) => {
  const { body, format, settings } = cutTail(text);
  return [body, format, Object.fromEntries(settings)];
};

test.each([
  ['SELECT 1', ['SELECT 1', null, {}]],
  ['SELECT 1 FORMAT TSV', ['SELECT 1', 'TSV', {}]],
  ["SELECT 1 SETTINGS a = 1, b = 'x\\'y' FORMAT TSV", ['SELECT 1', 'TSV', { a: '1', b: "x'y" }]],
  ['SELECT 1 SETTINGS a = 1 FORMAT TSV SETTINGS b = 1.5', ['SELECT 1', 'TSV', { a: '1', b: '1.5' }]],
  ["SELECT ' SETTINGS a = 1'", ["SELECT ' SETTINGS a = 1'", null, {}]],
  ['SELECT `SETTINGS a = 1', ['SELECT `SETTINGS a = 1', null, {}]],
  ['SELECT * FROM (SELECT 1 SETTINGS a = 1)', ['SELECT * FROM (SELECT 1 SETTINGS a = 1)', null, {}]],
  ['SELECT 1 AS SETTINGS', ['SELECT 1 AS SETTINGS', null, {}]],
  ['SELECT 1 SETTINGS a = (SELECT 1)', ['SELECT 1 SETTINGS a = (SELECT 1)', null, {}]],
  ['SELECT 1 SETTINGS a = 1 INTO OUTFILE', ['SELECT 1 SETTINGS a = 1 INTO OUTFILE', null, {}]],
])('%s', (text, expected) => {
  expect(cut(text)).toEqual(expected);
});

test('a map of texts is read as one', () => {
  const { body, settings } = cutTail("SELECT 1 SETTINGS f = {'t':'a = \\'b\\'','u':'1'}, x = 2");
  expect(body).toBe('SELECT 1');
  expect(settings.get('f')).toEqual(
    new Map([
      ['t', "a = 'b'"],
      ['u', '1'],
    ]),
  );
  expect(settings.get('x')).toBe('2');
});
