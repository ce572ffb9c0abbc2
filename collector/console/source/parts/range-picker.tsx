// How far back a page looks.

import type { ReactNode } from 'react';
import { RANGES, type Range } from '../../../../contract/console.ts';
import { replaceQuery } from '../route.ts';

const WORDS: Readonly<Record<Range, string>> = {
  '15m': '15 minutes',
  '1h': '1 hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
};

export const rangeWords = (range: Range): string => WORDS[range];

export function RangePicker({ range }: { readonly range: Range }): ReactNode {
  return (
    <fieldset className="ranges">
      <legend className="hidden">How far back</legend>
      {(Object.keys(RANGES) as Range[]).map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === range}
          aria-label={WORDS[each]}
          onClick={() => replaceQuery({ range: each })}
        >
          {each}
        </button>
      ))}
    </fieldset>
  );
}
