// What the leaves themselves say: that time only went on, and that entries which are no longer kept went when their time
// was over.

import { AUDIT_DAYS_MIN } from '../config/defaults.ts';
import type { PlacedLeaf } from './chains.ts';
import type { Report } from './finding.ts';

export interface LeavesSeen {
  /** When the first and the last came, ISO 8601; null of an empty log. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Clocks are set now and then; a sequencer that follows one back by more than this was told a story. */
const BACK_MS_MAX = 1_000;
const KEPT_MS_MIN = AUDIT_DAYS_MIN * 86_400_000;

/** `minimumIndex`: entries below are not there. */
export async function verifyLeaves(
  leaves: AsyncGenerator<PlacedLeaf>,
  minimumIndex: number,
  report: Report,
): Promise<LeavesSeen> {
  let from: number | null = null;
  let latest = 0;
  let prunedMs: number | null = null;
  for await (const { kind, receivedMs, items, logIndex } of leaves) {
    from ??= receivedMs;
    if (kind === 'pruned' && items === minimumIndex) prunedMs ??= receivedMs;
    if (receivedMs < latest - BACK_MS_MAX) {
      const what = `it came ${(latest - receivedMs) / 1000} s before one that stands before it.`;
      report({ kind: 'reordered', in: 'leaf', log_index: logIndex, what });
    }
    latest = Math.max(latest, receivedMs);
  }
  const wrong = minimumIndex === 0 ? null : whyNotPruned(prunedMs, from);
  if (wrong) {
    const what = `it and those after it up to ${minimumIndex - 1} are missing, and ${wrong}.`;
    report({ kind: 'deleted', in: 'leaf', log_index: 0, what });
  }
  return { from: iso(from), to: iso(from === null ? null : latest) };
}

/** The first that is kept came later than all that went. */
function whyNotPruned(prunedMs: number | null, firstKeptMs: number | null): string | null {
  if (prunedMs === null) return 'the log does not say that they went in their time';
  const days = Math.floor((prunedMs - (firstKeptMs ?? prunedMs)) / 86_400_000);
  return prunedMs - (firstKeptMs ?? prunedMs) >= KEPT_MS_MIN
    ? null
    : `went when the first that is left was ${days} days old: they are kept for at least ${AUDIT_DAYS_MIN}`;
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
