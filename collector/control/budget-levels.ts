// The accounts of a lease, as its sidecar is told of them with every answer.

import type { BudgetLevel } from '../../contract/budget.ts';
import { projectionOf } from './projection.ts';

/** One of what the SQL function levels_of answers. */
export interface LevelRow {
  readonly level: BudgetLevel['level'];
  readonly name: string;
  readonly window: string;
  readonly unit: BudgetLevel['unit'];
  readonly limit: string;
  readonly posted: string;
  readonly held: string;
  readonly starts_at: number;
  readonly ends_at: number | null;
  /** When, and what was posted by then; the later mark first. */
  readonly marks: readonly [number, string, number, string];
}

export function levelOf(row: LevelRow, nowMs: number): BudgetLevel {
  const { level, name, window, unit, limit, posted, held, starts_at, ends_at, marks } = row;
  const { projected, usedUpAtMs } = projectionOf(
    {
      posted: BigInt(posted),
      limit: BigInt(limit),
      startsAtMs: starts_at,
      endsAtMs: ends_at,
      marks: [
        { atMs: marks[0], posted: BigInt(marks[1]) },
        { atMs: marks[2], posted: BigInt(marks[3]) },
      ],
    },
    nowMs,
  );
  return {
    level,
    name,
    window,
    unit,
    limit,
    posted,
    held,
    resets_at: isoOrNull(ends_at),
    projected: projected?.toString() ?? null,
    used_up_at: isoOrNull(usedUpAtMs),
  };
}

export const isoOrNull = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString();
