// Where a budget is heading: by the pace of its window so far, and by that of about the last hour. Whole numbers only, so
// that the same spending always gives the same figure; null where too little time has passed to tell.

export interface Spending {
  readonly posted: bigint;
  readonly limit: bigint;
  readonly startsAtMs: number;
  /** Null: a task's, which has no end to project to. */
  readonly endsAtMs: number | null;
  /** What was posted by two moments at least half an hour apart, the ledger's marks, the later one first; 0 is none. */
  readonly marks: readonly [Mark, Mark];
}

export interface Mark {
  readonly atMs: number;
  readonly posted: bigint;
}

export interface Projection {
  /** Posted at the window's end, at the pace of the window so far. */
  readonly projected: bigint | null;
  /** Likewise at the pace of about the last hour. */
  readonly byLastHour: bigint | null;
  /** When all is posted at the faster of the two; null if not before the window's end. Now, if it is already. */
  readonly usedUpAtMs: number | null;
}

/** Before this much of a window, and this share of it, its pace says more of the clock than of the spending. */
const WINDOW_PASSED_MS_MIN = 10 * 60_000;
const WINDOW_PASSED_DIVISOR = 100;
/** How far apart the ledger sets its marks. */
const MARK_MS = 30 * 60_000;

interface Pace {
  readonly spent: bigint;
  readonly duringMs: bigint;
}

export function projectionOf(spending: Spending, nowMs: number): Projection {
  const { posted, limit, endsAtMs } = spending;
  const paces = [paceOfWindow(spending, nowMs), paceOfLastHour(spending, nowMs)];
  const [projected = null, byLastHour = null] = paces.map((pace) =>
    pace && endsAtMs !== null ? posted + (pace.spent * BigInt(endsAtMs - nowMs)) / pace.duringMs : null,
  );
  if (posted >= limit) return { projected, byLastHour, usedUpAtMs: nowMs };
  const ends = paces.flatMap((pace) => (pace && pace.spent > 0n ? [usedUpAtMs(spending, pace, nowMs)] : []));
  const first = Math.min(...ends);
  return { projected, byLastHour, usedUpAtMs: endsAtMs !== null && first < endsAtMs ? first : null };
}

function paceOfWindow({ posted, startsAtMs, endsAtMs }: Spending, nowMs: number): Pace | null {
  if (endsAtMs === null) return null;
  const passedMs = nowMs - startsAtMs;
  const least = Math.max(WINDOW_PASSED_MS_MIN, (endsAtMs - startsAtMs) / WINDOW_PASSED_DIVISOR);
  return passedMs < least ? null : { spent: posted, duringMs: BigInt(passedMs) };
}

/** All that was posted after a mark was so within MARK_MS of it, or there would be a later mark. */
function paceOfLastHour({ posted, endsAtMs, marks: [last, before] }: Spending, nowMs: number): Pace | null {
  if (endsAtMs === null) return null;
  const from = nowMs - last.atMs >= MARK_MS ? last : before;
  if (from.atMs === 0) return null;
  const isIdle = nowMs - last.atMs > 3 * MARK_MS;
  return { spent: isIdle ? 0n : posted - from.posted, duringMs: BigInt(nowMs - from.atMs) };
}

/** Safe as a number: no later than the end of time as clocks have it. */
function usedUpAtMs({ posted, limit }: Spending, { spent, duringMs }: Pace, nowMs: number): number {
  const leftMs = ((limit - posted) * duringMs + spent - 1n) / spent;
  return leftMs > 2n ** 52n ? Number.POSITIVE_INFINITY : nowMs + Number(leftMs);
}
