// How SQL text is cut: nothing within quotes, comments or heredocs is taken for code, whatever stands there.

import { describe, expect, test } from 'vitest';
import { ParameterFailure, substitute } from '../../../../collector/store/embedded/parameters.ts';
import { pieces } from '../../../../collector/store/embedded/pieces.ts';

const cut = (text: string) => [...pieces(text)].map(({ kind, text: piece }) => `${kind} ${piece}`);

describe('pieces', () => {
  test.each([
    [`SELECT 'a''b\\'c' x`, ['code SELECT ', `string 'a''b\\'c'`, 'code  x']],
    ['`a``b`"c""d"', ['name `a``b`', 'name "c""d"']],
    ["1 -- '\n2", ['code 1 ', "comment -- '", 'code \n2']],
    ["1 /* ' */ 2", ['code 1 ', "comment /* ' */", 'code  2']],
    ["$a$ '$b$ $a$ 'x'", ["heredoc $a$ '$b$ $a$", 'code  ', "string 'x'"]],
    ["$a '1'", ['code $a ', "string '1'"]],
    ['$a$ 1', ['code $a$ 1']],
    [
      "{a: DateTime('UTC')} {'b': 1}",
      ["placeholder {a: DateTime('UTC')}", 'code  {', "string 'b'", 'code : 1}'],
    ],
    ["'open", ["string 'open"]],
    ["'", ["string '"]],
    ["a'\\", ['code a', "string '\\"]],
    ['/* open', ['comment /* open']],
  ])('%s', (text, expected) => {
    expect(cut(text)).toEqual(expected);
  });

  test('give back the whole text, whatever it is', () => {
    const signs = ["'", '"', '`', '\\', '$', 'a', '{', '}', ':', '-', '#', ' ', '/', '*', '\n', 'é'];
    for (let seed = 1; seed < 3_000; seed++) {
      let state = seed * 2_654_435_761;
      const text = Array.from({ length: 12 }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return signs[(state >>> 16) % signs.length];
      }).join('');
      expect([...pieces(text)].map((piece) => piece.text).join('')).toBe(text);
    }
  });

  // The quadratic reading of these took minutes of a core; a linear one takes milliseconds, so that the test's own time
  // limit tells them apart on any machine.
  test.each([
    ['quotes that never close', `'${"\\'\\'".repeat(100_000)}`],
    ['tags that never close', Array.from({ length: 30_000 }, (_, at) => `$t${at}$`).join(' ')],
    ['placeholders that never close', '{a:'.repeat(100_000)],
    ['spaces in a placeholder', `{a:${' '.repeat(200_000)}`],
    ['comments that never close', '/*'.repeat(100_000)],
    ['lone signs', '$ { - # / '.repeat(40_000)],
  ])('take time linear in the text: %s', (_, text) => {
    expect([...pieces(text)].map((piece) => piece.text).join('')).toHaveLength(text.length);
  });
});

describe('substitute', () => {
  const values = new Map([
    ['a', "it's"],
    ['t', 'x`y'],
  ]);

  test('puts values where placeholders stand, and nowhere else', () => {
    expect(substitute("SELECT {a:String}, '{a:String}' -- {a:String}", values)).toBe(
      "SELECT CAST('it\\'s', 'String'), '{a:String}' -- {a:String}",
    );
    expect(substitute('FROM { t : Identifier }', values)).toBe('FROM `x\\`y`');
    expect(substitute("{a:DateTime64(3, 'UTC')}", values)).toBe("CAST('it\\'s', 'DateTime64(3, \\'UTC\\')')");
  });

  test('says which value is missing', () => {
    expect(() => substitute('{b:String}', values)).toThrow(ParameterFailure);
  });
});
