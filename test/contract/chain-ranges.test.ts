import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainRangesOf, chainRangesText, parseChainRanges } from '../../contract/chain-ranges.ts';

const hashOf = (seq: number): string => seq.toString(16).padStart(64, '0');
const link = (stream: string, seq: number) => ({ stream, seq, hash: hashOf(seq) });
const range = (stream: string, first: number, last: number) => ({ stream, first, last, head: hashOf(last) });

describe('the ranges of a request', () => {
  it('are runs of consecutive links, whatever order they were written in', () => {
    const links = [3, 4, 6, 9, 8, 5].map((seq) => link('a', seq));
    expect(chainRangesOf(links)).toEqual([range('a', 3, 6), range('a', 8, 9)]);
    expect(chainRangesOf([link('a', 7), link('b', 0), link('a', 8)])).toEqual([
      range('a', 7, 8),
      range('b', 0, 0),
    ]);
    expect(chainRangesOf([])).toEqual([]);
  });

  it('hold every link once, and come out of their text as they went in', () => {
    const seqs = fc.uniqueArray(fc.nat(60), { maxLength: 40 });
    fc.assert(
      fc.property(seqs, seqs, (a, b) => {
        const links = [...a.map((seq) => link('a', seq)), ...b.map((seq) => link('b', seq))];
        const ranges = chainRangesOf(links);
        const held = ranges.flatMap(({ stream, first, last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => `${stream} ${first + i}`),
        );
        expect(held.sort()).toEqual(links.map(({ stream, seq }) => `${stream} ${seq}`).sort());
        expect(parseChainRanges(chainRangesText(ranges))).toEqual(ranges);
      }),
    );
  });

  it.each([
    '',
    'null',
    '{}',
    '[1]',
    '[["a",0,1]]',
    `[["",0,1,"${hashOf(1)}"]]`,
    `[["a",2,1,"${hashOf(1)}"]]`,
    `[["a",-1,1,"${hashOf(1)}"]]`,
    `[["a",0.5,1,"${hashOf(1)}"]]`,
    `[["a",0,1e300,"${hashOf(1)}"]]`,
    '[["a",0,1,"AB"]]',
    JSON.stringify(Array.from({ length: 65 }, (_, i) => ['a', 2 * i, 2 * i, hashOf(i)])),
  ])('are not read from %j', (text) => {
    expect(parseChainRanges(text)).toBeNull();
  });
});
