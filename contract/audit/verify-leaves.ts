// What the leaves themselves say: that time only went on, and that entries which are no longer kept went when their time
// was over.

import type { Report } from './finding.ts';
import { GoneInTime } from './gone-in-time.ts';
import { leavesIn, type VerifiedLog } from './logged-leaves.ts';

export interface LeavesSeen {
  /** When the first and the last came, ISO 8601; null of an empty log. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Clocks are set now and then; a sequencer that follows one back by more than this was told a story. */
const BACK_MS_MAX = 1_000;

/** `logs`: at least one, the oldest first; it alone may lack entries. */
export async function verifyLeaves(logs: readonly VerifiedLog[], report: Report): Promise<LeavesSeen> {
  let from: number | null = null;
  let latest = 0;
  for (const log of logs) {
    const gone = new GoneInTime(({ items }) => items === log.minimumIndex);
    for await (const leaf of leavesIn(log, report)) {
      const { receivedMs, logIndex } = leaf;
      from ??= receivedMs;
      gone.pass(leaf);
      if (receivedMs < latest - BACK_MS_MAX) {
        const what = `it came ${(latest - receivedMs) / 1000} s before one that stands before it.`;
        report({ kind: 'reordered', in: 'leaf', log_index: logIndex, what });
      }
      latest = Math.max(latest, receivedMs);
    }
    if (log.minimumIndex > 0) tellWrong(log.minimumIndex, gone.whyNot(), report);
  }
  return { from: iso(from), to: iso(from === null ? null : latest) };
}

function tellWrong(minimumIndex: number, why: string | null, report: Report): void {
  if (why === null) return;
  const what = `it and those after it up to ${minimumIndex - 1} are missing, and ${why}.`;
  report({ kind: 'deleted', in: 'leaf', log_index: 0, what });
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
