// What a lease would have unspent if it were opened now, among as many as live now: who came first, to a fleet that was
// small then, can give the rest back.

import type { Level } from '../../contract/budget.ts';
import type { LevelRow } from './budget-levels.ts';

type Unit = LevelRow['unit'];

/** How many live instances draw on the accounts of each level. */
export type Live = Readonly<Record<Level, number>>;

/** `unspent`: what the lease has of its slice, held or not. Null where nothing limits the unit. */
export function shareOf(levels: readonly LevelRow[], live: Live, unit: Unit, unspent: bigint): string | null {
  let least: bigint | null = null;
  for (const { level, limit, posted, held } of levels.filter((each) => each.unit === unit)) {
    const share = (BigInt(limit) - BigInt(posted) - BigInt(held) + unspent) / BigInt(2 * live[level]);
    if (least === null || share < least) least = share;
  }
  return least === null ? null : (least > 0n ? least : 0n).toString();
}
