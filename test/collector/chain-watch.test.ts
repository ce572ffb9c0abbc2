// AUD-08 at the collector: which requests make it look twice, and what it does when the store says that a chain is forked.

import { describe, expect, it } from 'vitest';
import { createChainWatch } from '../../collector/chain-watch.ts';
import { type ChainRange, chainRangesText } from '../../contract/chain-ranges.ts';
import type { ControlEvent } from '../../contract/control-event.ts';
import { silentLog } from '../../kit/log.ts';
import { manualClock } from '../support/manual-clock.ts';

const STREAM = 'scout/host/1';

function watch(twofold: () => number | Error) {
  const clock = manualClock();
  const noted: ControlEvent[] = [];
  const asked: ChainRange[] = [];
  const chains = createChainWatch({
    async twofold(range) {
      asked.push(range);
      const answer = twofold();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    note: async (event) => void noted.push(event),
    clock,
    log: silentLog,
  });
  const hear = (...ranges: (readonly [first: number, last: number, stream?: string])[]): void =>
    chains.heard([
      chainRangesText(
        ranges.map(([first, last, stream = STREAM]) => ({ stream, first, last, head: 'a'.repeat(64) })),
      ),
    ]);
  const later = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      clock.advance(10_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { chains, noted, asked, hear, later };
}

describe('AUD-08: the watch over chains', () => {
  it.each([
    ['a chain that goes on', [[[0, 4]], [[5, 9]], [[10, 10]]]],
    ['a chain that is first heard of in its middle', [[[100, 104]], [[105, 105]]]],
    [
      'links that were written late',
      [
        [
          [0, 4],
          [6, 6],
        ],
        [
          [5, 5],
          [7, 9],
        ],
      ],
    ],
    ['several late ones', [[[0, 0]], [[5, 9]], [[2, 3]], [[4, 4]], [[1, 1]]]],
    ['two chains', [[[0, 4]], [[0, 4, 'scout/other/1']], [[5, 6]], [[5, 6, 'scout/other/1']]]],
  ] as const)('is content with %s', async (_what, requests) => {
    const { asked, hear, later } = watch(() => 1);
    for (const ranges of requests) hear(...ranges);
    await later();
    expect(asked).toEqual([]);
  });

  it('asks the store when a link comes again, notes a fork once, and says which stream to leave', async () => {
    const { chains, noted, asked, hear, later } = watch(() => 2);
    hear([0, 9]);
    hear([5, 7]);
    expect(chains.isForked(STREAM)).toBe(false);
    await later();
    expect(asked).toMatchObject([{ stream: STREAM, first: 5, last: 7 }]);
    expect(noted).toMatchObject([
      { event: 'chain_forked', agent: 'scout', details: { stream: STREAM, first: 5, last: 7, links: 2 } },
    ]);
    expect(chains.isForked(STREAM)).toBe(true);
    hear([8, 9]);
    await later();
    expect(noted).toHaveLength(1);
  });

  it('says nothing when the same records only came again', async () => {
    const { chains, noted, asked, hear, later } = watch(() => 0);
    hear([0, 9]);
    hear([0, 12]);
    await later();
    expect(asked.length).toBeGreaterThan(1);
    expect(noted).toEqual([]);
    expect(chains.isForked(STREAM)).toBe(false);
    hear([13, 13]);
    await later();
  });

  it('asks again while the store is away, and is closed with a question open', async () => {
    let away = true;
    const { chains, noted, hear, later } = watch(() => {
      if (!away) return 1;
      away = false;
      return new Error('away');
    });
    hear([0, 9]);
    hear([9, 9]);
    await later();
    expect(noted).toHaveLength(1);
    hear([0, 0, 'scout/third/1']);
    hear([0, 0, 'scout/third/1']);
    chains.close();
    await later();
    expect(noted).toHaveLength(1);
  });

  it('reads nothing from what is no range', async () => {
    const { chains, asked, later } = watch(() => 1);
    chains.heard(['', '{', '[["x",1,0,""]]']);
    await later();
    expect(asked).toEqual([]);
  });
});
