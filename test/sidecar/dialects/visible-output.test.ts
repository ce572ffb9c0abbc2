// The count of visible output is never more than what a tokenizer makes of it: held to two whole vocabularies, which come
// with LangChain's client, and to texts whose tokens are long.

import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { visibleOutput } from '../../../sidecar/dialects/visible-output.ts';

const ofLangchain = createRequire(createRequire(import.meta.url).resolve('@langchain/core/package.json'));
const { Tiktoken } = ofLangchain('js-tiktoken/lite') as typeof import('js-tiktoken/lite');
const tokenizer = (name: string): InstanceType<typeof Tiktoken> =>
  new Tiktoken(ofLangchain(`js-tiktoken/ranks/${name}`) as ConstructorParameters<typeof Tiktoken>[0]);

const o200k = tokenizer('o200k_base');
const cl100k = tokenizer('cl100k_base');

function count(...pieces: string[]): number {
  const seen = visibleOutput();
  for (const piece of pieces) seen.take(piece);
  return seen.tokens();
}

/** Of the texts to compare; a plain tokenizer takes quadratically long for an unbroken one. */
const LENGTH = 400;

/** The tokens that count for more than the one that they are. */
function overCounted(vocabulary: typeof o200k, size: number): string[] {
  const found: string[] = [];
  for (let token = 0; token < size; token++) {
    const text = vocabulary.decode([token]);
    if (count(text) > 1) found.push(text);
  }
  return found;
}

describe('visible output', () => {
  it('counts no token of o200k_base for more than one', () => {
    expect(overCounted(o200k, 199_998)).toEqual([]);
  });

  it('counts of cl100k_base only some names of programs for two', () => {
    const found = overCounted(cl100k, 100_256);
    expect(found).toHaveLength(11);
    for (const name of found) expect(name).toMatch(/^[ .:]?[A-Za-z]{27,}$/);
  });

  const texts: [name: string, text: string, leastShare: number][] = [
    ['English', 'Unfortunately, international organizations frequently underestimate infrastructure. ', 0.5],
    ['German', 'Die Verantwortung liegt bei internationalen Organisationen, die sie unterschätzen. ', 0.3],
    ['Russian', 'Ответственность за окружающую среду лежит на международных организациях. ', 0.3],
    ['Hindi', 'अंतर्राष्ट्रीय संगठन पर्यावरण की जिम्मेदारी लेते हैं और वे अक्सर कम आंकते हैं। ', 0.3],
    ['Chinese', '国际组织对环境负责,但他们经常低估基础设施的要求。', 0.05],
    ['Thai', 'องค์กรระหว่างประเทศรับผิดชอบต่อสิ่งแวดล้อม', 0.05],
    ['long words', ' internationalization responsibilities straightforward environmental', 0.5],
    ['indented code', '                    return createInstance(component);\n', 0.2],
    ['a table', '|---------------------|------------------|\n', 0],
    ['JSON', '{"query":"weather in Bern","days":[1,2,3],"unit":"celsius"}', 0.05],
    ['one word', 'infrastructure', 0],
    ['spaces', ' '.repeat(64), 0],
    ['rules', '─'.repeat(64), 0],
    ['comment lines', '//\n//\n', 0],
  ];

  it.each(texts)('of %s is no more than its tokens, and not nothing', (_, text, leastShare) => {
    for (const times of [1, 3, Math.ceil(LENGTH / text.length)]) {
      const tokens = o200k.encode(text.repeat(times)).length;
      expect(count(text.repeat(times))).toBeLessThanOrEqual(tokens);
      expect(count(text.repeat(times))).toBeGreaterThanOrEqual(Math.floor(tokens * leastShare));
    }
  });

  it('is the same however the text is cut', () => {
    const text = 'One two  three,four  fünf\n六七八 nine';
    for (let at = 0; at <= text.length; at++)
      expect(count(text.slice(0, at), text.slice(at))).toBe(count(text));
  });

  it('counts no word twice when two texts come by turns', () => {
    const seen = visibleOutput();
    for (const piece of ['inter', 'nation', 'al']) {
      seen.take(piece, 0);
      seen.take(piece, 1);
    }
    expect(seen.tokens()).toBeLessThanOrEqual(2);
  });
});
