// Says where a stream that has used up its hold is to end: with the event it stands in, never within one. What was
// surely used is compared, at most what was really: an answer that keeps to its own limit is never cut, however its
// provider counts. A stream whose agent may not go on is ended at the same places, whatever it has used.

import type { Answered } from './call.ts';
import { usedSoFar } from './charge.ts';
import type { StreamMeter } from './dialects/metered.ts';

export interface Cutter {
  /** The hold is used up, or it was told to stop: from now on bytes are read before they pass. */
  readonly due: boolean;
  /** It is to end with the event it stands in. True where it stands in none. */
  stop(): boolean;
  /**
   * Asked when `chunk` has been read: how many of its bytes come before the end of the stream, or null when it goes on.
   * All of them where they passed already.
   */
  endsWithin(chunk: Buffer): number | null;
  /** What comes after those bytes. Asked once. */
  ending(): Buffer;
  /** Surely made up to there. */
  outputTokens(): number;
}

const NEVER = (): boolean => false;

/** Null where there is no stream to cut. */
export function cutterOf(call: Answered, stream: StreamMeter | null, rewrites: boolean): Cutter | null {
  if (stream === null) return null;
  const usedUp = isHeldTo(call) ? holdWatch(call, stream) : NEVER;
  let due = false;
  return {
    get due() {
      return due;
    },
    stop() {
      due = true;
      return rewrites || stream.unfinishedBytes() === 0; // what is rewritten passes in whole events
    },
    endsWithin(chunk) {
      const passed = !due;
      due ||= usedUp();
      if (!due) return null;
      const tail = stream.unfinishedBytes();
      if (passed) return tail === 0 ? chunk.length : null;
      return tail > chunk.length ? null : chunk.length - tail;
    },
    ending: () => stream.cut(),
    outputTokens: () => stream.outputTokensSeen(),
  };
}

/** Not while only observed, where nothing is held, and where the work would go on unseen. */
const isHeldTo = ({ agent, hold, description }: Answered): boolean =>
  agent.mode === 'enforce' && hold !== null && !description?.outlivesAnswer;

function holdWatch(call: Answered, stream: StreamMeter): () => boolean {
  const { held, description, outputTokensWritten, policy } = call;
  const { choices = 1, outputTokensMax = 0, outputTokensBesides = 0 } = description ?? {};
  // Up to so many the hold suffices whatever the input was: nothing need be worked out.
  const outputTokensHeld = ((outputTokensMax ?? outputTokensWritten ?? 0) + outputTokensBesides) * choices;
  return () => {
    const outputTokens = stream.outputTokensSeen();
    if (outputTokens <= outputTokensHeld) return false;
    const metered = stream.metered();
    if (metered.complete || metered.finishReasons.length >= choices) return false;
    const used = usedSoFar(call, metered, outputTokens, policy.prices);
    return used.nanodollars > held.nanodollars || used.tokens > held.tokens;
  };
}
